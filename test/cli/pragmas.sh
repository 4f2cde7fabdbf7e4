#!/bin/bash
# SPDX-License-Identifier: MIT
#
# PRAGMA lsvfs_... on a replicated connection, and on others; the functions of
# lsvfs.h that do the same.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires python3

export LSVFS_REPLICA_URL=$PWD/backup/%f

cat >pragmas.py <<'END'
import ctypes, json, os, sqlite3, subprocess, sys, time

def one(sql, db=None):
    return (db or app).execute('PRAGMA ' + sql).fetchall()

app = sqlite3.connect('app.db', isolation_level=None)
app.execute('PRAGMA journal_mode=wal')
app.execute('CREATE TABLE t(x)')
assert one('lsvfs_sync=60000') == [('replicated',)]
first = int(one('lsvfs_txid')[0][0])

# Each commit counts, and the number is of the last one at once.
for i in range(5):
    app.execute('INSERT INTO t VALUES(?)', (i,))
    assert one('lsvfs_txid') == [(str(first + i + 1),)], one('lsvfs_txid')
assert one("lsvfs_sync='1m'") == [('replicated',)]

status = json.loads(one('lsvfs_status')[0][0])
assert status['state'] == 'replicated', status
assert status['txid'] == first + 5, status
assert status['path'] == os.path.realpath('app.db'), status
assert one('lsvfs_replica') == [(os.path.realpath('backup') + '/app.db',)]
assert one('LSVFS_VERSION')[0][0].startswith('0.')
done = one('lsvfs_checkpoint')[0][0].split()
assert done[0] == done[2] and int(done[0]) > 0, done
assert one('main.lsvfs_txid') == one('lsvfs_txid')

# In a transaction it is still the last commit's.
app.execute('BEGIN')
app.execute('INSERT INTO t VALUES(99)')
assert one('lsvfs_txid') == [(str(first + 5),)]
app.execute('ROLLBACK')

# A snapshot, when there is something new.
def snapshots():
    return sum(name.endswith('.snapshot.lz4')
               for _, _, names in os.walk('backup/app.db') for name in names)
assert snapshots() == 1
assert one('lsvfs_snapshot') == [('wished',)]
app.execute('INSERT INTO t VALUES(5)')
def wait_for_snapshots(n):
    until = time.monotonic() + 60
    while snapshots() < n:
        assert time.monotonic() < until, 'no snapshot'
        time.sleep(0.02)
wait_for_snapshots(2)
assert one('lsvfs_sync') == [('replicated',)]

# What is asked for while a stranger checkpoints (it has CKPT, byte 121 of the
# -shm) comes when that is over.
app.execute('INSERT INTO t VALUES(5)')
stranger = subprocess.Popen([sys.executable, '-c', '''
import fcntl, sys
shm = open('app.db-shm', 'r+b')
fcntl.lockf(shm, fcntl.LOCK_EX, 1, 121)
print('has it', flush=True)
sys.stdin.read()
'''], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
stranger.stdout.readline()
assert one('lsvfs_snapshot') == [('wished',)]
assert one('lsvfs_sync') == [('replicated',)]
assert snapshots() == 2
stranger.communicate()
wait_for_snapshots(3)
assert one('lsvfs_sync') == [('replicated',)]

# The functions of lsvfs.h say the same.
lsvfs = ctypes.CDLL(None)
txid = ctypes.c_ulonglong()
assert lsvfs.lsvfs_txid(b'app.db', ctypes.byref(txid)) == 0
assert str(txid.value) == one('lsvfs_txid')[0][0]
assert lsvfs.lsvfs_checkpoint(b'app.db') == 0
assert lsvfs.lsvfs_snapshot(b'app.db') == 0
lsvfs.lsvfs_replica.restype = ctypes.c_void_p
text = lsvfs.lsvfs_replica(b'app.db')
assert ctypes.string_at(text).decode() == one('lsvfs_replica')[0][0]
lsvfs.lsvfs_free(ctypes.c_void_p(text))
for name in 'txid', 'checkpoint', 'snapshot':
    assert getattr(lsvfs, 'lsvfs_' + name)(b'other.db', None) == 12, name
assert lsvfs.lsvfs_replica(b'other.db') is None

# What is wrong is said.
for sql in 'lsvfs_sync=soon', "lsvfs_sync='-1s'", 'lsvfs_sync=99999999999999999999':
    try:
        one(sql)
        raise SystemExit(sql + ' was taken')
    except sqlite3.OperationalError as error:
        assert 'milliseconds' in str(error), error

# Nobody else answers.
assert one('lsvfs_nothing') == []
memory = sqlite3.connect(':memory:')
for name in 'status', 'sync', 'txid', 'checkpoint', 'snapshot', 'replica', 'version':
    assert one('lsvfs_' + name, memory) == [], name

# The replica is away: it is not waited for longer than was said.  One call swaps
# the two, or it could make its folder in between.
def exchange(one, two):
    AT_FDCWD, RENAME_EXCHANGE = -100, 2
    r = ctypes.CDLL(None, use_errno=True).renameat2(
        AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE)
    assert r == 0, os.strerror(ctypes.get_errno())
open('away', 'w').close()
exchange(b'backup', b'away')
app.execute('INSERT INTO t VALUES(6)')
try:
    one('lsvfs_sync=50')
    raise SystemExit('replicated to nowhere')
except sqlite3.OperationalError as error:
    assert 'timed out' in str(error), error
exchange(b'backup', b'away')
assert one('lsvfs_sync') == [('replicated',)]
END
preload python3 pragmas.py 2>err || fail "$(cat err)"

# A process that has done nothing yet is told of what others did; in one that
# has the database to itself there is no WAL to look at.
preload python3 -c "
import sqlite3
db = sqlite3.connect('app.db')
txid = db.execute('PRAGMA lsvfs_txid').fetchall()
assert int(txid[0][0]) > 0, txid
assert db.execute('PRAGMA lsvfs_sync').fetchall() == [('replicated',)]
assert db.execute('PRAGMA lsvfs_txid').fetchall() == txid" 2>err ||
	fail "at rest: $(cat err)"

# What is not in WAL mode, or left it, or has no page yet, never is on the
# replica: that is said at once, and not waited for at the end either.
cat >plain.py <<'END'
import ctypes, json, sqlite3, subprocess, sys

def refused(db):
    for sql in 'lsvfs_sync', 'lsvfs_sync=60000':
        try:
            db.execute('PRAGMA ' + sql)
            raise SystemExit(sql + ' was answered')
        except sqlite3.OperationalError as error:
            assert 'not in WAL mode' in str(error), error

def as_the_tool(db, name):
    tool = json.loads(subprocess.run([sys.argv[1], 'status', '-json', name],
                                     stdout=subprocess.PIPE).stdout)
    own = json.loads(db.execute('PRAGMA lsvfs_status').fetchall()[0][0])
    assert own['state'] == tool['state'] == 'not in WAL mode', (own, tool)
    assert own['error'] == tool['error'] != '', (own, tool)
    assert db.execute('SELECT state, error FROM lsvfs_status').fetchall() == [
        (tool['state'], tool['error'])], name

lsvfs = ctypes.CDLL(None)
never = sqlite3.connect('never.db', isolation_level=None)
refused(never)
never.execute('CREATE TABLE t(x)')
refused(never)
as_the_tool(never, 'never.db')
assert lsvfs.lsvfs_sync(b'never.db', -1) == 1

left = sqlite3.connect('left.db', isolation_level=None)
left.execute('PRAGMA journal_mode=wal')
left.execute('CREATE TABLE t(x)')
assert left.execute('PRAGMA lsvfs_sync').fetchall() == [('replicated',)]
assert left.execute('PRAGMA journal_mode=delete').fetchall() == [('delete',)]
left.execute('INSERT INTO t VALUES(1)')
refused(left)
as_the_tool(left, 'left.db')
left.execute('BEGIN EXCLUSIVE')
refused(left)
as_the_tool(left, 'left.db')
left.execute('COMMIT')
assert left.execute('PRAGMA journal_mode=wal').fetchall() == [('wal',)]
left.execute('INSERT INTO t VALUES(2)')
assert left.execute('PRAGMA lsvfs_sync').fetchall() == [('replicated',)]
assert left.execute('SELECT state, error FROM lsvfs_status').fetchall() == [
    ('replicated', None)]
END
LSVFS_OPTIONS=shutdown-sync-timeout=600s preload timeout 120 \
	python3 plain.py "$LSVFS" 2>err || fail "not in WAL mode: $? $(cat err)"

# Without us they mean nothing.
[ -z "$(unloaded python3 -c "
import sqlite3
for row in sqlite3.connect('app.db').execute('PRAGMA lsvfs_status'):
    print(row)")" ] || fail 'SQLite knows lsvfs_status'
