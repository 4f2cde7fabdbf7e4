#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A generation begins with a commit that was made before it was looked at: the
# moment after that commit returned is restored with it, on a replica that has
# nothing older, and on one that has.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 python3

export LSVFS_REPLICA_URL=$PWD/backup/%f

cat >commit.py <<'END'
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA journal_mode=wal')
db.execute('CREATE TABLE IF NOT EXISTS t(x)')
db.execute('INSERT INTO t VALUES(?)', (sys.argv[2],))
ns = time.time_ns()
assert db.execute('PRAGMA lsvfs_sync').fetchall() == [('replicated',)]
print(time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ns // 10**9)) +
      '.%09dZ' % (ns % 10**9))
END

# has DB VALUE: it is committed, and there at the moment after that.
has()
{
	moment=$(preload python3 commit.py "$1" "$2" 2>err) ||
		fail "$1: $(cat err)"
	rm -rf then.db .then.db-litestream
	"$LSVFS_RESTORE" -o then.db -timestamp "$moment" "backup/$1" \
		>out 2>&1 ||
		fail "$1: '$2' at $moment: exit $?: $(cat out)"
	[ "$(sqlite3 then.db "SELECT count(*) FROM t WHERE x = '$2'")" = 1 ] ||
		fail "$1: '$2' is not there at $moment: $(cat out)"
}

for n in 1 2 3 4 5 6 7 8; do
	has $n.db first
	unloaded sqlite3 $n.db 'INSERT INTO t VALUES(2)'
	has $n.db third
	[ "$(find backup/$n.db/generations -mindepth 1 -maxdepth 1 |
		wc -l)" = 2 ] || fail "$n.db: not two generations"
done
