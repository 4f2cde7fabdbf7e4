#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A process has a replica that the one which leads has not: nothing is sent
# there, which it says once, and leaves the leader alone; nobody is told that
# what it committed is there.  Once it leads itself all of it is.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

cat >litestream.yml <<END2
dbs:
  - path: $PWD/a.db
    replicas:
      - {name: near, path: $PWD/backup/a.db}
      - {name: far, path: $PWD/far}
END2

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(x);'
catch_up a.db

mkfifo to2
listen()
{
	unset LSVFS_REPLICA_URL
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
	LSVFS_CONFIG=$PWD/litestream.yml \
	LSVFS_OPTIONS="sync-interval=50ms $LSVFS_OPTIONS" \
		exec sqlite3 -cmd '.timeout 60000' a.db <to2 >out2 2>err2 9>&-
}
background listen
follower=$background_pid
exec 8>to2

# tell2 N SQL
tell2()
{
	printf '%s\n' "$2" "select 'did ' || $1;" >&8
	eventually 60 grep -qx "did $1" out2
}

tell2 1 'insert into t values(1);'
eventually 60 is_restored a.db
eventually 60 grep -q "process $app_pid .* not to replica $PWD/far," err2
eventually 60 is_left_alone a.db
tell2 2 'insert into t values(2);'
eventually 60 is_restored a.db
eventually 60 is_left_alone a.db
[ "$(wc -l <err2)" = 1 ] || fail "said $(cat err2)"
[ ! -e far ] || fail 'something was sent there'

# Who waits is told, of that replica only; nothing begins anew.
expect_exit 1 "$LSVFS" sync -timeout 60s -config litestream.yml a.db \
	2>sync.log
grep -q "not to replica $PWD/far," sync.log || fail "$(cat sync.log)"
[ "$(wc -l <sync.log)" = 1 ] || fail "$(cat sync.log)"
tell2 3 'pragma lsvfs_sync=60000;'
grep -q 'cannot be replicated' err2 || fail "$(cat out2 err2)"
catch_up a.db
"$LSVFS" sync -timeout 60s -replica-url "file://$PWD/backup/a.db" a.db ||
	fail 'the same replica by another name is none'
objects_are a.db 1 1

app_end
tell2 4 'insert into t values(3);'
expect_exit 0 "$LSVFS" sync -timeout 60s -config litestream.yml a.db
exec 8>&-
expect_exit 1 wait "$follower" # for what it was told above
restored a.db
[ "$(rows r.db)" = 3 ] || fail "$(rows r.db) rows"
same_restored a.db far
