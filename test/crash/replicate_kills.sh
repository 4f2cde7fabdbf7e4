#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate beside a program without us, each killed with SIGKILL at
# moments drawn by dice and started again: what comes back in the end is what
# the database has, and whatever can be restored between is a state that it had.
#
#	test/crash/replicate_kills.sh [ROUNDS [SEED]]

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3 python3

n_rounds=${1:-6}
seed=${2:-$$}
echo "seed $seed"
RANDOM=$seed

# Row n of the only table is the n-th commit, in one of the two modes of
# SQLite; a large transaction now and then.
cat >writer.py <<'END'
import random, sqlite3, sys
db = sqlite3.connect('app.db', timeout=60, isolation_level=None)
db.execute('PRAGMA synchronous=%s' % random.choice(['normal', 'full', 'off']))
while True:
    db.execute('BEGIN IMMEDIATE')
    n = db.execute('SELECT coalesce(max(n), 0) + 1 FROM t').fetchone()[0]
    size = 200000 if n % 97 == 0 else random.randrange(2000)
    db.execute('INSERT INTO t VALUES(?, randomblob(?))', (n, size))
    db.execute('COMMIT')
    print(n, flush=True)
END

start_writer()
{
	python3 writer.py >>commits 2>writer.err &
	writer=$!
	cleanup kill_quietly "$writer"
}

start_replicate()
{
	"$LSVFS" replicate app.db backup 2>>replicate.log &
	replicate=$!
	cleanup kill_quietly "$replicate"
}

n_commits()
{
	local n

	n=$(wc -l <commits)
	[ "$n" -gt "$1" ]
}

# Restores between: rows 1 to k, for some k.
check_between()
{
	rm -rf between.db .between.db-litestream
	"$LSVFS_RESTORE" -o between.db -integrity-check full backup \
		>restore.log 2>&1 || {
		# A generation whose first snapshot is on its way.
		grep -Eq 'no snapshot|holds no backup|no backup' restore.log ||
			fail "cannot restore: $(cat restore.log)"
		return 0
	}
	[ "$(sqlite3 between.db 'SELECT count(*) = coalesce(max(n), 0) FROM t')" = 1 ] ||
		fail 'a state that the database never had'
}

sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE t(n INTEGER PRIMARY KEY, b)' \
	>/dev/null
: >commits
: >replicate.log
start_replicate
start_writer
for ((round = 0; round < n_rounds; round++)); do
	eventually 60 n_commits $(($(wc -l <commits) + RANDOM % 300))
	case $((RANDOM % 3)) in
	0)
		kill_quietly "$replicate"
		check_between
		;;
	1)
		kill_quietly "$writer"
		;;
	2)
		kill_quietly "$writer"
		kill_quietly "$replicate"
		check_between
		;;
	esac
	kill -0 "$writer" 2>/dev/null || start_writer
	kill -0 "$replicate" 2>/dev/null || start_replicate
done
kill_quietly "$writer"
eventually 60 "$LSVFS" status -max-lag 0s app.db >status.out
kill -TERM "$replicate"
status=0
wait "$replicate" || status=$?
[ "$status" = 0 ] || fail "exit $status: $(cat replicate.log)"
"$LSVFS_RESTORE" -o restored.db -integrity-check full backup >restore.log 2>&1 ||
	fail "cannot restore: $(cat restore.log)"
same_content app.db restored.db
acknowledged=$(tail -n 1 commits)
[ "$(sqlite3 restored.db 'SELECT max(n) FROM t')" -ge "$acknowledged" ] ||
	fail 'an acknowledged commit is missing'
