#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that leads and has the database open, but has not read from it, as a
# pool of connections does: it does not see what other processes commit.  Their
# commits are shipped, with and without somebody who keeps the WAL, and no
# generation begins for them (I2, I5).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

cat >pool.py <<'END'
import sqlite3, sys
memory = sqlite3.connect(':memory:')
for line in sys.stdin:
    if line == 'open\n':
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
    elif line == 'close\n':
        db.close()
    elif line.startswith("select 'did"):
        print(memory.execute(line).fetchone()[0], flush=True)
    else:
        db.execute(line)
END

# unread NAME: a process leads, has it open without a look, and others commit.
unread()
{
	app_start python3 pool.py "$1.db"
	tell open
	tell 'insert into t values(1)'
	tell close
	eventually 60 is_restored "$1.db"
	for _ in 1 2 3; do
		tell open
		preload sqlite3 -cmd '.timeout 60000' "$1.db" \
			'insert into t values(2)' >out 2>&1
		eventually 60 is_restored "$1.db"
		tell close
	done
	app_end
	restored "$1.db"
	objects_are "$1.db" 1 1
}

for name in a b; do
	preload sqlite3 $name.db \
		'pragma journal_mode=wal; create table t(x)' >out 2>&1
done
unread a
mkfifo reader.in
# shellcheck disable=SC2317 # by background
reader()
{
	exec sqlite3 b.db <&8 >reader.out
}
exec 8<>reader.in
background reader
echo 'select count(*) from t;' >&8
eventually 60 grep -qx 0 reader.out
unread b
