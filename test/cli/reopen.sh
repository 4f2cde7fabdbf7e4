#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program closes its last connection and opens another: one generation, also
# where the file's times could not tell whether somebody wrote in between (here
# because they are in the future); then its content does.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires python3

export LSVFS_REPLICA_URL="$PWD/replica" LSVFS_OPTIONS='sync-interval=10ms'
export LSVFS_LOG=warn

cat >app.py <<'END'
import os, sqlite3, time

def run(sql):
    return db.execute(sql).fetchall()

def sync():
    run('pragma lsvfs_sync(60000)')

def is_backfilled():
    busy, log, checkpointed = run('pragma wal_checkpoint')[0]
    return busy == 0 and log == checkpointed

db = sqlite3.connect('a.db', isolation_level=None)
run('pragma journal_mode=wal')
run('create table t(n)')
for n in range(5):
    run('insert into t values(%d)' % n)
    sync()
    # Nothing is left for the close to write.
    while not is_backfilled():
        time.sleep(0.01)
    ahead = time.time() + 86400
    os.utime('a.db', (ahead, ahead))
    db.close()
    assert os.stat('a.db').st_mtime > time.time() + 3600, 'the close wrote'
    db = sqlite3.connect('a.db', isolation_level=None)
    run('select count(*) from t')
    sync()
run('insert into t values(5)')
db.close()
END

preload python3 app.py 2>err || fail "app: $(cat err)"
[ ! -s err ] || fail "said $(cat err)"
"$LSVFS" sync -timeout 60s a.db || fail "sync"
"$LSVFS_RESTORE" -o restored.db replica 2>err || fail "restore: $(cat err)"
cmp a.db restored.db || fail "not what was committed"
n=$(find replica/generations -mindepth 1 -maxdepth 1 | wc -l)
[ "$n" -eq 1 ] || fail "$n generations, not 1"
