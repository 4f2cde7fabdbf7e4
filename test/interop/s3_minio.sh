#!/bin/bash
# SPDX-License-Identifier: MIT
#
# On MinIO: replicate, lose, restore; a replica that both generations of stock
# Litestream restore, the latest and a moment, and one of stock's that we do;
# a snapshot in parts; the bucket in the host; an outage that heals by itself.

. "${top_srcdir:-.}/test/lib/s3.sh"

not_under_tsan
requires sqlite3
stock3=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?
stock5=$("$top_srcdir/test/interop/stock.sh" 0.5.18) || exit $?
find_store minio
start_store
at=s3://bkt.localhost:$store_port

write_app "$at/%f"
forget app.db
restores latest.txt "$at/app.db"
restores first.txt "$at/app.db" -timestamp "$first_time"
for litestream in "$stock3" "$stock5"; do
	stock_restores "$litestream" latest.txt "$at/app.db"
	stock_restores "$litestream" first.txt -timestamp "$first_time" \
		"$at/app.db"
done

# What stock put there.
theirs_is_restored()
{
	forget restored.db
	"$LSVFS_RESTORE" -o restored.db "$at/theirs" >restore.log 2>&1 &&
		[ "$(sqlite3 restored.db 'SELECT x FROM t')" = "$1" ]
}

sqlite3 theirs.db 'PRAGMA journal_mode=wal; CREATE TABLE t (x);
	INSERT INTO t VALUES (6)' >out
background "$stock3" replicate theirs.db "$at/theirs" >theirs.log 2>&1
eventually 60 theirs_is_restored 6
sqlite3 theirs.db 'UPDATE t SET x = 7'
eventually 60 theirs_is_restored 7
kill_quietly "${background_pid:?}" TERM

# A snapshot in parts, into a bucket that stands in the host.
export LSVFS_REPLICA_URL="s3://bkt/in%20parts/%f?endpoint=$store_endpoint&force-path-style=false&part-size=5242880&concurrency=2"
preload sqlite3 large.db 'PRAGMA journal_mode=wal; CREATE TABLE t (x);
	INSERT INTO t VALUES (randomblob(12000000))' >out
LSVFS_LOG=debug "$LSVFS" sync large.db >out 2>&1 || fail "$(cat out)"
"$LSVFS" status large.db >out || fail "$(cat out)"
sqlite3 large.db .dump >large.txt
restores large.txt "s3://bkt/in parts/large.db?endpoint=$store_endpoint&force-path-style=false"
stock_restores "$stock3" large.txt "$at/in parts/large.db"
unset LSVFS_REPLICA_URL

# It is away for a while: the program does not notice, and what it did in the
# meantime arrives.
stop_store
export LSVFS_REPLICA_URL=$at/%f
forget down.db
preload sqlite3 down.db 'PRAGMA journal_mode=wal; CREATE TABLE t (x);
	INSERT INTO t VALUES (1)' >out 2>err || fail "exit $?: $(cat err)"
[ "$(cat out)" = wal ] || fail "printed: $(cat out)"
grep -q 'cannot put to replica' err || fail "said: $(cat err)"
expect_exit 1 "$LSVFS" sync -timeout 1s down.db >out 2>&1
start_store
"$LSVFS" sync -timeout 60s down.db >out 2>&1 || fail "$(cat out)"
sqlite3 down.db .dump >down.txt
restores down.txt "$at/down.db"
keeps_secret err out ./.*-litestream store.log
