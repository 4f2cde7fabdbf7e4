#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Pre-fork Python servers with 4 workers, the database opened by the parent
# before the fork: before its first commit, and after; each worker has its own
# connection.  Then all else that makes processes, and all that ends them.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

cat >server.py <<'END'
import os, sqlite3, subprocess, sys, time
moment = sys.argv[1]
def connect():
    db = sqlite3.connect('a.db', timeout=60, isolation_level=None)
    db.execute('pragma journal_mode=wal').fetchall()
    return db
def write(db, n, who):
    for i in range(n):
        db.execute('insert into t(who, x) values(?, randomblob(200))', (who,))
db = connect()
if moment == 'after':
    db.execute('create table t(id integer primary key, who, x)')
    write(db, 20, 'parent')
elif moment == 'closed':
    db.execute('create table t(id integer primary key, who, x)')
    write(db, 20, 'parent')
    db.close()
workers = []
for n in range(4):
    pid = os.fork()
    if pid == 0:
        mine = connect()
        mine.execute('create table if not exists '
                     't(id integer primary key, who, x)')
        write(mine, 30, n)
        if n == 0:
            mine.close()
            sys.exit(0)
        if n == 1:
            sys.exit(0)         # with a connection that is open
        if n == 2:
            os._exit(0)         # nothing of ours runs
        sub = subprocess.run([sys.executable, '-c', '''
import os, sqlite3
db = sqlite3.connect("a.db", timeout=60, isolation_level=None)
for i in range(10):
    db.execute("insert into t(who, x) values('sub', randomblob(200))")
'''])
        spawned = os.posix_spawn('/usr/bin/env', ['env', 'sqlite3', '-cmd',
            '.timeout 60000', 'a.db',
            "insert into t(who) values('spawned')"], os.environ)
        bad = sub.returncode or os.waitpid(spawned, 0)[1]
        sys.exit(1 if bad else 0)
    workers.append(pid)
if moment == 'before':
    time.sleep(0.05)
    while not db.execute("select 1 from sqlite_schema where name = 't'"
                         ).fetchall():
        time.sleep(0.01)
if moment != 'closed':
    write(db, 20, 'parent')
for pid in workers:
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit('worker: status %d' % status)
if moment == 'closed':
    db = connect()
write(db, 1, 'parent')
print(db.execute('select count(*) from t').fetchone()[0])
END

serve()
{
	local moment=$1 rows=$2

	rm -rf a.db* .a.db-litestream backup
	prints "$rows" preload timeout 120 python3 server.py "$moment" 2>err
	[ ! -s err ] || fail "$moment: said '$(cat err)'"
	# By the exits themselves, before anybody asks for it.
	restored a.db
	[ "$(rows r.db)" = "$rows" ] || fail "$moment: $(rows r.db) rows"
	printf 'opened %s the first commit: %s rows, %s generations\n' \
		"$moment" "$rows" "$(objects a.db generations)"
	catch_up a.db
	restored a.db
	# Nothing was lost sight of: one history.
	objects_are a.db 1 1
}
serve before 152
serve after 172
serve closed 152
