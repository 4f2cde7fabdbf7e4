#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What has happened to somebody, named and played again, with a proxy before
# the store that fails when it is told to: the store is down for a while, a
# writer is killed while its snapshot goes up, one object never arrives, the
# store is slow for ever.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=1s'
export LSVFS_LOG=info

play down-up-kill
rules 'refuse * *'
writes 30
rules
eventually 60 faulty_count refuse 1
writes_on 2000
eventually 60 has_committed 60
kill_quietly "$writer"
syncs
restored
played

# Nothing can be restored, and it says so; later everything can.
play kill-during-snapshot --stall 600
rules 'stall 1 PUT *snapshots*'
writes_on 2000
eventually 60 faulty_count stall 1
eventually 60 has_committed 10
kill_quietly "$writer"
expect_exit 3 "$LSVFS_RESTORE" -o restored.db "$url" 2>restore.log
[ ! -e restored.db ] || fail 'a file was left'
syncs
restored
played

# The same in the second part of a snapshot that goes up in several.
play kill-during-parts --stall 600
sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE fat AS
	WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c
	WHERE i < 12) SELECT i, randomblob(1048576) FROM c' >/dev/null
rules 'stall 1 PUT *partNumber=2*'
writes_on 2000
eventually 60 faulty_count stall 1
kill_quietly "$writer"
expect_exit 3 "$LSVFS_RESTORE" -o restored.db "$url" 2>restore.log
syncs
sqlite3 app.db .dump >expected.txt
"$LSVFS_RESTORE" -o restored.db "$url" >restore.log 2>&1 ||
	fail "cannot restore: $(cat restore.log)"
sqlite3 restored.db .dump >restored.txt
same_file expected.txt restored.txt
played

# Nothing goes up behind what did not arrive (I9), what is there can be
# restored, and it heals when the store does.
play one-key-fails
writes 5
syncs
restored_to 5
rules 'status-500 PUT *wal*'
writes 40 -pause 5000
expect_exit 1 "$LSVFS" sync -timeout 2s app.db >sync.log 2>&1
restored_to 5
! "$LSVFS" status app.db >status.txt 2>&1 || fail 'status says nothing of it'
rules 'status-403 PUT *lsvfs*'
writes 50
syncs
restored
played

play slow-for-ever --stall 1
writes 3
syncs
rules 'slow * *'
writes 60
syncs
restored
played

# A restore gives up soon where nobody answers, and says what may help.
play nobody-there
writes 3
syncs
rules 'refuse * *'
expect_exit 1 "$LSVFS_RESTORE" -o restored.db "$url" 2>restore.log
[ "$(counted refuse)" = 6 ] || fail "not 6 tries: $(cat counts)"
stop_faulty
expect_exit 1 "$LSVFS_RESTORE" -o restored.db "$url" 2>restore.log
grep -q "$faulty_port.*does the store run" restore.log ||
	fail "said: $(cat restore.log)"
[ ! -e restored.db ] || fail 'a file was left'
played
