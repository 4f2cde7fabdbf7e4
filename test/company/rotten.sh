#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A page rots in the database's file, or a stranger writes there, after its
# commit was captured.  A snapshot finds that out and begins a generation with
# what is there, which is of the same commit: until then, what the database was
# is what the generation before has (I3).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

# Nobody opens a.db in the program itself: its close would take SQLite's locks.
cat >rotten.py <<'END'
import os, sqlite3, subprocess, time

del os.environ['LD_PRELOAD'] # what it runs does not want us

def one(sql):
    return db.execute(sql).fetchone()[0]

def moment(name):
    ns = time.time_ns()
    with open(name, 'w') as out:
        out.write(time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ns // 10**9)) +
                  '.%09dZ' % (ns % 10**9))

def eventually(is_so):
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)

def is_checkpointed():
    busy, n_all, n_done = db.execute('PRAGMA wal_checkpoint(PASSIVE)').fetchone()
    return busy == 0 and n_all == n_done > 0

def has_new_snapshot():
    found = subprocess.run(['find', 'backup/a.db', '-name', '*.snapshot.*'],
                           stdout=subprocess.PIPE).stdout
    return len(found.split()) == 2

db = sqlite3.connect('a.db', isolation_level=None)
one('PRAGMA journal_mode=wal')
db.execute('CREATE TABLE t(x)')
db.execute("INSERT INTO t VALUES(printf('%020000d', 7))")
assert one('PRAGMA lsvfs_sync') == 'replicated'
db.execute("INSERT INTO t VALUES('captured')")
moment('committed')
assert one('PRAGMA lsvfs_sync') == 'replicated'
eventually(is_checkpointed)
subprocess.run(['cp', 'a.db', 'good.db'], check=True)
moment('checkpointed')
subprocess.run(['dd', 'if=/dev/zero', 'of=a.db', 'bs=1', 'count=1',
                'seek=%d' % (3 * one('PRAGMA page_size') + 100),
                'conv=notrunc', 'status=none'], check=True)
subprocess.run(['cp', 'a.db', 'bad.db'], check=True)
moment('rotten')
assert one('PRAGMA lsvfs_snapshot') == 'wished'
eventually(has_new_snapshot)
assert one('PRAGMA lsvfs_sync') == 'replicated'
moment('found')
db.execute("INSERT INTO t VALUES('after')")
assert one('PRAGMA lsvfs_sync') == 'replicated'
END
LSVFS_LOG=info preload python3 rotten.py 2>err || fail "exit $?: $(cat err)"
grep -q 'begins: its pages are not what was committed' err ||
	fail "said $(cat err)"
[ "$(objects a.db generations)" = 2 ] || fail 'not two generations'
! cmp -s good.db bad.db || fail 'nothing rotted'

# at MOMENT STATE: what is restored of that moment is that.
at()
{
	rm -rf r.db .r.db-litestream
	"$LSVFS_RESTORE" -o r.db -timestamp "$(cat "$1")" backup/a.db \
		>restore.log 2>&1 ||
		fail "at '$1': exit $?: $(cat restore.log)"
	cmp -s r.db "$2" || fail "at '$1' it is not $2: $(cat restore.log)"
}
at committed good.db
at checkpointed good.db
at rotten good.db
at found bad.db
