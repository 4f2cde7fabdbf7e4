#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The drain (design.md section 6) beside connections that never checkpoint, in
# a linked program, so that ThreadSanitizer sees it, too: no commit fails, no
# generation ends, and all of it is restored.  How large the WAL becomes is
# test/bench/storm's to measure.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3

"$top_builddir/test/bench/storm" -no-checkpoint -writers 4 -commits 12000 \
	>out 2>err || fail "exit $?: $(cat err)"
[ ! -s err ] || fail "said $(cat err)"
grep -q ' failed 0 busy 0 .* generations 1$' out || fail "$(cat out)"
"$LSVFS_RESTORE" -o r.db "$PWD/backup/storm.db" 2>restore.log ||
	fail "lsvfs-restore: exit $?: $(cat restore.log)"
sqlite3 storm.db 'pragma wal_checkpoint(truncate)' >/dev/null
same_file storm.db r.db
cat out
