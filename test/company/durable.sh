#!/bin/bash
# SPDX-License-Identifier: MIT
#
# durability=replica: a commit returns when the replica has it.  When that does
# not answer in time, the application is told, or, with degrade, goes on; one
# line says so, and the commit is there when it is healed.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

# After each commit, at once: is it on the replica?
cat >commits.py <<'END'
import os, sqlite3, subprocess, sys
env = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}
db = sqlite3.connect('a.db', isolation_level=None)
db.execute('pragma journal_mode=wal').fetchall()
db.execute('create table t(id integer primary key, x)')
for i in range(5):
    db.execute('insert into t(x) values(randomblob(5000))')
    if i == 2:
        db.execute('begin')
        db.executemany('insert into t(x) values(?)',
                       [('x' * 1000,)] * 20)
        db.execute('commit')
    name = 'r%d.db' % i
    subprocess.run([os.environ['LSVFS_RESTORE'], '-o', name, 'backup/a.db'],
                   check=True, stdout=subprocess.DEVNULL, env=env)
    there = sqlite3.connect('file:%s?mode=ro&immutable=1' % name, uri=True)
    query = 'select count(*), max(id) from t'
    ours, theirs = (c.execute(query).fetchone() for c in (db, there))
    there.close()
    if ours != theirs:
        sys.exit('%s are committed, %s on the replica' % (ours, theirs))
print(db.execute('select count(*) from t').fetchone()[0])
END
LSVFS_OPTIONS="$LSVFS_OPTIONS durability=replica durability-timeout=60s" \
	prints 25 preload python3 commits.py 2>err
[ ! -s err ] || fail "said $(cat err)"
restored a.db

# The replica does not answer: three commits.
cat >vain.py <<'END'
import sqlite3
db = sqlite3.connect('a.db', isolation_level=None)
for i in range(3):
    try:
        db.execute("insert into t(x) values('in vain')")
        print('ok')
    except sqlite3.OperationalError as error:
        print(error)
print(db.execute("select count(*) from t where x = 'in vain'").fetchone()[0])
END
# vain OPTIONS EXPECTED N: what each of them says, and how many are committed.
vain()
{
	mv backup away
	: >backup
	prints "$2
$2
$2
$3" env LSVFS_OPTIONS="shutdown-sync-timeout=0 durability=replica $1" \
		LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
		python3 vain.py 2>err
	[ "$(grep -c 'committed locally, not yet on the replica' err)" = 1 ] ||
		fail "$1: said $(cat err)"
	[ "$(grep -c 'cannot put to replica' err)" = 1 ] ||
		fail "$1: said $(cat err)"
	rm backup
	mv away backup
}
vain 'durability-timeout=300ms' 'disk I/O error' 3
catch_up a.db
restored a.db
vain 'durability-timeout=300ms durability-on-timeout=degrade' ok 6
catch_up a.db
restored a.db
[ "$(rows r.db)" = 31 ] || fail "$(rows r.db) rows"
