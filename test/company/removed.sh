#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The local folder is removed while programs have the database open: each says
# so once, they go on in a new one with a new generation, and what they commit
# is on the replica (I3).  Where none can be made the commits go on (I5).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

make_writer
app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(x);'
commits 20
catch_up a.db
objects_are a.db 1 1

# While it commits.
rm -rf .a.db-litestream
commits 5
eventually 60 is_restored a.db
objects_are a.db 2 2
says 1 'was removed while it was in use'
catch_up a.db
restored a.db
commits 5
eventually 60 is_restored a.db
objects_are a.db 2 2

# While it is idle, and somebody waits: from outside, then within.
rm -rf .a.db-litestream
catch_up a.db
restored a.db
objects_are a.db 3 3
commits 5
eventually 60 is_restored a.db
objects_are a.db 3 3
rm -rf .a.db-litestream
tell 'insert into t values(1); pragma lsvfs_sync;'
restored a.db
objects_are a.db 4 4

# Two programs: one makes it, both use it.
mkfifo to2
: >out2
other()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		LSVFS_LOG=warn exec python3 writer.py <to2 >out2 2>err2 9>&-
}
background other
exec 8>to2
n=0
tell_other()
{
	n=$((n + 1))
	echo "insert into t values($n)" >&8
	eventually 60 grep -qx "did insert into t values($n)" out2
}
tell_other
eventually 60 is_restored a.db
objects_are a.db 4 4
for who in app other; do
	rm -rf .a.db-litestream
	if [ $who = app ]; then
		tell 'insert into t values(2);'
		tell_other
	else
		tell_other
		tell 'insert into t values(3);'
	fi
	eventually 60 is_restored a.db
	tell_other
	eventually 60 is_restored a.db
	tell 'insert into t values(4);'
	eventually 60 is_restored a.db
done
objects_are a.db 6 6
exec 8>&-
wait "${background_pid:?}" || fail "exit $?: $(cat err2)"
[ "$(wc -l <err2)" = 2 ] || fail "said: $(cat err2)"

# Something else is in its place.
rm -rf .a.db-litestream
: >.a.db-litestream
tell 'insert into t values(5);'
eventually 60 said 'cannot be made again: Not a directory'
tell 'insert into t values(6);'
rm .a.db-litestream
eventually 60 is_restored a.db
objects_are a.db 7 7
says 1 'cannot be made again'
app_end
restored a.db
