#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Several replicas of a database know nothing of each other: one that is away
# for the whole run delays neither the other nor the application nor its end,
# status tells which one and why, and when it is back both are complete.  What
# is kept for it is bounded (I7).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3
unset LSVFS_REPLICA_URL

# begin NAME [OPTION...]: an application in a folder of its own, replicated
# twice; where the second replica should be is a file.
begin()
{
	name=$1
	shift
	mkdir "$name"
	cd "$name"
	: >far
	cat >litestream.yml <<END
dbs:
  - path: $PWD/a.db
    replicas:
      - {name: near, path: $PWD/near}
      - {name: far, path: $PWD/far}
END
	export LSVFS_CONFIG=$PWD/litestream.yml
	LSVFS_OPTIONS="shutdown-sync-timeout=60s $*"
	app_start sqlite3 -cmd '.timeout 60000' a.db
	tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
}

# is_complete REPLICA: whether it has a.db as it is now, to the byte.
is_complete()
{
	checkpointed a.db
	rm -rf r.db .r.db-litestream
	"$LSVFS_RESTORE" -o r.db "$PWD/$1" >restore.log 2>&1 &&
		cmp -s kept/a.db r.db
}

# told REPLICA KEY: what status says of it.
told()
{
	"$LSVFS" status -json a.db >status.json || :
	python3 -c '
import json, sys
for replica in json.load(open("status.json"))["replicas"]:
    if replica["name"] == sys.argv[1]:
        print(replica[sys.argv[2]])' "$1" "$2"
}

# is_told REPLICA KEY WORDS
is_told()
{
	[ "$(told "$1" "$2")" = "$3" ]
}

generations()
{
	find "$1/generations" -mindepth 1 -maxdepth 1 | wc -l
}

# Away for the whole run of the program.
begin away
commits 20
eventually 60 is_complete near
commits 20
eventually 60 is_complete near
eventually 60 is_told near state replicated
is_told far state failing || fail "status: $(cat status.json)"
[[ $(told far error) = "Not a directory ($PWD/far/"* ]] ||
	fail "status: $(cat status.json)"
is_told far position None || fail "status: $(cat status.json)"
is_told near error '' || fail "status: $(cat status.json)"
expect_exit 2 "$LSVFS" status a.db >status.text
grep -q '^state *failing' status.text || fail "$(cat status.text)"
expect_exit 1 "$LSVFS" sync -timeout 1s a.db 2>sync.log
commits 3
app_end
says 0 'exits before everything' # as it would after its whole time-out
is_complete near || fail "near: $(cat restore.log)"
says 1 'cannot put to replica .*far'
says 0 'cannot put to replica .*near'

# And back: from outside, without the program.
rm far
catch_up a.db
is_complete near || fail "near: $(cat restore.log)"
is_complete far || fail "far: $(cat restore.log)"
[ "$(generations near) $(generations far)" = '1 1' ] ||
	fail "$(generations near) and $(generations far) generations: $(cat app.err)"
expect_exit 0 "$LSVFS" status a.db
cd ..

# Away for more than is kept for it: it is given up, said once, and what is
# here stays small; when it answers both begin a new generation.
begin behind max-local-bytes=2MiB
eventually 60 is_told far state failing
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	commits 60
done
eventually 60 is_told far state broken
eventually 60 is_complete near
# SQLite's page map and lock are not counted.
kept_here()
{
	[ "$(find .a.db-litestream -name '*.wal' -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }')" -le 2097152 ]
}
commits 1
eventually 60 kept_here
says 1 'more than max-local-bytes'
[ "$(generations near)" = 1 ] || fail "$(generations near) generations"

# Who commits beside it, and closes, and who asked in vain, do not keep the
# leader awake for what it cannot do.
expect_exit 1 "$LSVFS" sync -timeout 1s a.db 2>sync.log
cat >closes.py <<'END'
import sqlite3, sys
for line in sys.stdin:
    db = sqlite3.connect('a.db', timeout=60, isolation_level=None)
    db.execute(line)
    db.close()
    print('did', line, end='', flush=True)
END
closes()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
	LSVFS_OPTIONS="sync-interval=50ms $LSVFS_OPTIONS" \
		exec python3 closes.py <closes.in >closes.out 9>&-
}
mkfifo closes.in
background closes
exec 8>closes.in
echo 'insert into t(x) values(1)' >&8
eventually 60 grep -q did closes.out
eventually 60 is_complete near
eventually 30 is_left_alone a.db
is_told far state broken || fail "status: $(cat status.json)"
exec 8>&-
wait "${background_pid:?}" || fail "exit $?"
rm far
eventually 60 is_complete far
# It was complete, and is to get the new generation, too.
has_both()
{
	[ "$(generations near)" = 2 ]
}
eventually 60 has_both
eventually 60 is_complete near
[ "$(generations near) $(generations far)" = '2 1' ] ||
	fail "$(generations near) and $(generations far) generations: $(cat app.err)"
commits 2
eventually 60 is_told far state replicated
eventually 60 is_told near state replicated
app_end
is_complete near || fail "near: $(cat restore.log)"
is_complete far || fail "far: $(cat restore.log)"
cd ..

# The replica that is alive after a restart of the program, with the other one
# away before and after, goes on where it was.
begin again
commits 5
eventually 60 is_complete near
app_end
for _ in 1 2 3; do
	app_start sqlite3 -cmd '.timeout 60000' a.db
	commits 5
	eventually 60 is_complete near
	app_end
done
[ "$(generations near)" = 1 ] || fail "$(generations near) generations"
rm far
app_start sqlite3 -cmd '.timeout 60000' a.db
commits 1
eventually 60 is_complete far
eventually 60 is_complete near
app_end
[ "$(generations near) $(generations far)" = '1 1' ] ||
	fail "$(generations near) and $(generations far) generations: $(cat app.err)"
cd ..
