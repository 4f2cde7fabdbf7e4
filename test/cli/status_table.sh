#!/bin/bash
# SPDX-License-Identifier: MIT
#
# SELECT ... FROM lsvfs_status on replicated connections, by each way in; what
# else an application does with names, auto-extensions and other databases is
# not disturbed.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 python3

# Two replicas, one of them away.
cat >two.yml <<END
dbs:
  - path: $PWD/two.db
    replicas:
      - name: here
        path: $PWD/here
      - name: away
        path: $PWD/away
END
touch away

columns='schema, replica, state, lag_ms = 0'
export LSVFS_REPLICA_URL=$PWD/backup/%f
prints "wal
replicated
main|file|replicated|1
$(realpath .)/backup/app.db" preload sqlite3 app.db \
	'pragma journal_mode=wal' 'create table t(x)' \
	'pragma lsvfs_sync=60000' "select $columns from lsvfs_status" \
	'select url from lsvfs_status where position is not null
	   and time is not null and failing_since is null and error is null'
prints '0
main|file|replicated|1' unloaded sqlite3 :memory: ".load $LIBLSVFS" \
	'.open app.db' 'select count(*) from t' \
	"select $columns from lsvfs_status"

cat >two.py <<'END'
import sqlite3, time
db = sqlite3.connect('two.db', isolation_level=None)
db.execute('CREATE TABLE IF NOT EXISTS t(x)')
db.execute('INSERT INTO t VALUES(1)')
until = time.monotonic() + 60
while True:
    rows = db.execute('SELECT replica, state, error, failing_since '
                      'FROM lsvfs_status').fetchall()
    if [row[:2] for row in rows] == [('here', 'replicated'), ('away', 'failing')]:
        break
    assert time.monotonic() < until, rows
    time.sleep(0.02)
assert rows[0][2:] == (None, None), rows
assert rows[1][2] and rows[1][3].startswith('20'), rows
END
(
	unset LSVFS_REPLICA_URL
	LSVFS_CONFIG=$PWD/two.yml preload python3 two.py
) 2>err || fail "two replicas: $(cat err)"

cat >table.py <<'END'
import ctypes, os, sqlite3

def schemas(db):
    return db.execute('SELECT schema FROM lsvfs_status').fetchall()

def is_without(db):
    try:
        return schemas(db) is None
    except sqlite3.OperationalError as error:
        return 'no such table' in str(error)

# Attached databases have rows, what is not replicated has none.
app = sqlite3.connect('app.db', isolation_level=None)
app.execute('SELECT * FROM t')
app.execute("ATTACH ':memory:' AS other")
assert schemas(app) == [('main',)]
app.execute("ATTACH 'second.db' AS second")
assert schemas(app) == [('main',), ('second',)]
# Nothing has been committed there.
assert app.execute("SELECT replica, state, error IS NULL FROM lsvfs_status "
                   "WHERE schema='second'").fetchall() == [(None, 'unknown', 0)]
app.execute('DETACH second')
assert is_without(sqlite3.connect(':memory:'))
assert is_without(sqlite3.connect('file:app.db?mode=ro', uri=True))

# The number of the last commit there.
app.execute('INSERT INTO t VALUES (0)')
assert app.execute('PRAGMA lsvfs_sync').fetchall() == [('replicated',)]
txid = int(app.execute('PRAGMA lsvfs_txid').fetchall()[0][0])
assert txid > 0
assert app.execute('SELECT txid FROM lsvfs_status').fetchall() == [(txid,)]

# Inside a transaction, in a subquery, twice at once; it cannot be written.
app.execute('BEGIN')
app.execute('INSERT INTO t VALUES (1)')
assert app.execute('SELECT count(*) FROM lsvfs_status a, lsvfs_status b '
                   'WHERE a.rowid = b.rowid').fetchall() == [(1,)]
app.execute('ROLLBACK')
for sql in 'DELETE FROM lsvfs_status', "INSERT INTO lsvfs_status(error) VALUES(1)":
    try:
        app.execute(sql)
        raise SystemExit(sql)
    except sqlite3.OperationalError as error:
        assert 'may not be modified' in str(error), error

# Nothing is left in the database, and no name is taken.
assert app.execute("SELECT name FROM sqlite_master").fetchall() == [('t',)]
before = list(app.iterdump())
app.execute('CREATE TABLE lsvfs_status(mine)')
assert app.execute('SELECT * FROM lsvfs_status').fetchall() == []
app.execute('DROP TABLE lsvfs_status')
assert schemas(app) == [('main',)]
assert list(app.iterdump()) == before

# The application's own auto-extensions come and go as without us.
sqlite = ctypes.CDLL('libsqlite3.so.0')
called = []
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
def extension(db, error, api):
    called.append(db)
    return 0
assert sqlite.sqlite3_auto_extension(extension) == 0
assert schemas(sqlite3.connect('app.db')) == [('main',)] and len(called) == 1
assert sqlite.sqlite3_cancel_auto_extension(extension) == 1
assert sqlite.sqlite3_cancel_auto_extension(extension) == 0
assert schemas(sqlite3.connect('app.db')) == [('main',)] and len(called) == 1
assert sqlite.sqlite3_auto_extension(extension) == 0
sqlite.sqlite3_reset_auto_extension()
after = sqlite3.connect('app.db', isolation_level=None)
assert is_without(after) and len(called) == 1
assert after.execute('PRAGMA lsvfs_sync=60000').fetchall() == [('replicated',)]
assert schemas(app) == [('main',)]
END
preload python3 table.py 2>err || fail "$(cat err)"

# Without us it is a name like any other.
! unloaded sqlite3 app.db 'select * from lsvfs_status' >out 2>&1 ||
	fail 'SQLite knows lsvfs_status'
