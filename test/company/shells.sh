#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sqlite3 shells on one database: three after each other, two at once, one
# without us that writes, one with us.  After each step the restored database
# is the database, to the byte; a program that starts again uploads only its
# new commits, and only the stranger costs a new generation (I3).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

# A commit is one page or two; the database is 300 KB that do not compress.
small=15000
insert='insert into t(x) select randomblob(100)'

# shell SQL: through us.
shell()
{
	preload sqlite3 -cmd '.timeout 60000' a.db "$1" >>out 2>>err ||
		fail "exit $?: $1: $(cat err)"
}

# step WHAT GENERATIONS SNAPSHOTS LIMIT: all is there, and it did not cost more
# than LIMIT bytes.
before=0
step()
{
	local now

	restored a.db
	now=$(bytes a.db)
	printf '%-32s %s generations, %s snapshots, %s bytes uploaded\n' "$1" \
		"$(objects a.db generations)" "$(objects a.db snapshots)" \
		$((now - before))
	objects_are a.db "$2" "$3"
	[ $((now - before)) -le "$4" ] ||
		fail "$1: $((now - before)) bytes uploaded, expected <= $4"
	before=$now
}

shell "pragma journal_mode=wal;
create table t(id integer primary key, x blob);
create table other(x);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
insert into t(x) select randomblob(100) from n"
step 'first shell' 1 1 800000
shell "$insert"
step 'second shell, one commit' 1 1 $small
shell "$insert; $insert; $insert"
step 'third shell, three commits' 1 1 $small
shell 'select count(*) from t'
step 'a shell that only reads' 1 1 0

# Two at once: both are open before either writes.
mkfifo go1 go2
listen()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		exec sqlite3 -cmd '.timeout 60000' a.db <"go$1" >"out$1" \
		2>>err 8>&- 9>&-
}
background listen 1
one=$background_pid
background listen 2
two=$background_pid
exec 8>go1 9>go2
for turn in 1 2 3; do
	echo "$insert; select 'done $turn';" >&8
	echo "$insert; select 'done $turn';" >&9
	eventually 60 grep -q "done $turn" out1
	eventually 60 grep -q "done $turn" out2
done
eventually 60 is_restored a.db
step 'two at once, both open' 1 1 $((3 * small))
exec 8>&-
wait $one || fail "the first of two: exit $?"
echo "$insert; select 'done 4';" >&9
eventually 60 grep -q 'done 4' out2
exec 9>&-
wait $two || fail "the second of two: exit $?"
step 'the second alone, and gone' 1 1 $small
[ ! -s err ] || fail "said '$(cat err)'"

# The stranger's commit is not there, until one of us comes: exactly what was
# there before is.
checkpointed a.db
sqlite3 a.db "insert into other values('without us')"
restore a.db
same_file kept/a.db r.db
objects_are a.db 1 1
LSVFS_LOG=info shell "$insert"
step 'a stranger, then a shell' 2 2 800000
grep -q 'generation .* begins: it was written to or checkpointed without us' \
	err || fail "the new generation's reason is not said: $(cat err)"
[ "$(grep -vc ': replicates to ' err)" = 1 ] ||
	fail "said more than once: $(cat err)"
shell "$insert"
step 'a shell' 2 2 $small

# `lsvfs sync` sees a stranger's work as well.
sqlite3 a.db "insert into other values('again')"
catch_up a.db
step 'a stranger, then lsvfs sync' 3 3 800000
shell "$insert"
step 'a shell' 3 3 $small
