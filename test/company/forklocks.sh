#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A database closed, the process forked, the database opened in the child:
# the kernel must have the child's locks (SQLite believes in inherited ones if
# a connection was open at the fork: I16), so that a checkpoint of the parent
# cannot reset the WAL under the child's read.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

cat >fork.py <<'END'
import os, sqlite3, sys, time
def connect():
    return sqlite3.connect('a.db', timeout=0.2, isolation_level=None)
def locks():
    found = 0
    files = {os.stat(f).st_ino for f in ('a.db', 'a.db-shm')}
    for line in open('/proc/locks'):
        words = line.replace('-> ', '').split()
        found += (int(words[4]) == os.getpid() and
                  int(words[5].split(':')[2]) in files)
    return found
db = connect()
db.execute('pragma journal_mode=wal').fetchall()
db.execute('create table t(id integer primary key, x)')
for i in range(300):
    db.execute('insert into t(x) values(randomblob(500))')
if sys.argv[1] == 'late':       # or else our worker may be at work
    time.sleep(0.5)
db.close()
ready, done = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    mine = connect()
    mine.execute("insert into t(x) values('child')")
    mine.execute('begin')
    n = mine.execute('select count(*) from t').fetchone()[0]
    held = locks()
    os.write(ready[1], b'%d' % held)
    os.read(done[0], 1)
    again = mine.execute('select count(*) from t').fetchone()[0]
    mine.execute('commit')
    mine.execute("insert into t(x) values('child, too')")
    mine.close()
    sys.exit(0 if n == again == 301 and held >= 2 else 1)
held = int(os.read(ready[0], 10))
if held < 2:
    sys.exit('the kernel has %d locks of the child' % held)
db = connect()
db.execute("insert into t(x) values('parent')")
def is_busy():
    return db.execute('pragma wal_checkpoint(truncate)').fetchone()[0]
if not is_busy() or not is_busy():
    sys.exit('a checkpoint truncated the WAL under a reader')
os.write(done[1], b'x')
if os.waitpid(pid, 0)[1]:
    sys.exit('the child is not content')
until = time.monotonic() + 30   # a checkpointer of ours may be at work
while is_busy():
    if time.monotonic() > until:
        sys.exit('still busy, and nobody reads')
print(db.execute('select count(*) from t').fetchone()[0])
END

for moment in early late; do
	rm -rf a.db* .a.db-litestream backup
	prints 303 preload timeout 120 python3 fork.py $moment 2>err
	[ ! -s err ] || fail "$moment: said '$(cat err)'"
	restored a.db
done
