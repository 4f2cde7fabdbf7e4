#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A snapshot that is large comes back in pieces, several at a time; each piece
# that is cut, stalls or is refused for a moment goes on where it was, and what
# cannot be had ends the restore.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=30s'

# pieces: how many of the snapshot were asked for so far.
pieces()
{
	grep -c ' GET [^ ]*/snapshots/' requests || :
}

# same_again OPTION...: the database, byte for byte.
same_again()
{
	forget restored.db
	"$LSVFS_RESTORE" -o restored.db "$@" "$url" >restore.log 2>&1 ||
		fail "cannot restore: $(cat restore.log)"
	same_file app.db restored.db
}

play large --log requests --stall 1
sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE fat AS
	WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c
	WHERE i < 36) SELECT i, randomblob(1048576) FROM c' >/dev/null
syncs

before=$(pieces)
same_again -parallelism 1
whole=$(($(pieces) - before))
before=$(pieces)
same_again -parallelism 3
[ $(($(pieces) - before)) = $((whole + 4)) ] ||
	fail "not in 5 pieces: $(tail -n 20 requests)"

# Fewer than there are tries: all may fall upon the same piece.
rules 'cut 1 GET *snapshots*' 'stall 1 GET *snapshots*' \
	'status-503 1 GET *snapshots*'
same_again
for fault in cut stall status-503; do
	[ "$(counted $fault)" -gt 0 ] || fail "no $fault: $(cat counts)"
done

# Not beside the plan, which reads the end of the snapshot, but in its middle.
forget restored.db
rules "none $((whole - 1)) GET *snapshots*" 'status-403 1 GET *snapshots*'
expect_exit 1 "$LSVFS_RESTORE" -o restored.db "$url" 2>restore.log
grep -q 'AccessDenied' restore.log || fail "said: $(cat restore.log)"
[ ! -e restored.db ] || fail 'a file was left'
played
