#!/bin/bash
# SPDX-License-Identifier: MIT
#
# locking_mode=EXCLUSIVE, where no lock says that a commit happened or that the
# WAL begins anew: set before the first read (no shm at all) and later.  Each
# history is one generation, whole to the last byte.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires python3

export LSVFS_REPLICA_URL="$PWD/replica/%f"
export LSVFS_OPTIONS='sync-interval=10ms'

cat >app.py <<'END'
import os, signal, sqlite3, subprocess, sys
what, path = sys.argv[1:]
db = sqlite3.connect(path, isolation_level=None)

def run(*statements):
    for sql in statements:
        db.execute(sql).fetchall()

def exclusive():
    run('pragma locking_mode=exclusive', 'select count(*) from sqlite_schema')

def insert(n):
    run("insert into t values(%d, hex(randomblob(300)))" % n)

# Larger than the page cache: its frames lie in the WAL, and are nothing.
def spill_and_roll_back():
    run('pragma cache_size=5', 'begin')
    for n in range(60):
        insert(n)
    run('rollback')

def wait_for_replica():
    subprocess.run([os.environ['LSVFS'], 'sync', '-timeout', '20s', path],
                   check=True, env={**os.environ, 'LD_PRELOAD': ''})

def begin():
    run('pragma journal_mode=wal', 'create table t(n, x)')
    insert(0)
    wait_for_replica()

def dies():
    exclusive()
    for n in range(20):
        insert(n)
    os.kill(os.getpid(), signal.SIGKILL)

# What was there when it came, what it adds.
def goes_on():
    exclusive()
    insert(1)
    db.close()

# The sign of a commit must not be one that a rolled back transaction left.
def later():
    insert(1)
    spill_and_roll_back()
    exclusive()
    for mode in 'restart', 'truncate', 'passive':
        insert(2)
        run('pragma wal_checkpoint(%s)' % mode)
        insert(3)
    db.close()

# An empty WAL gets a header, and another one, without a commit between.
def empty():
    insert(1)
    run('pragma wal_checkpoint(truncate)')
    for n in range(20):
        spill_and_roll_back()
    insert(2)
    db.close()

def empty_exclusive():
    exclusive()
    insert(1)
    run('pragma wal_checkpoint(restart)')
    for n in range(20):
        spill_and_roll_back()
    db.close()

{f.__name__: f for f in (begin, dies, goes_on, later, empty,
                         empty_exclusive)}[what]()
END

app() {
	preload python3 app.py "$1" "$2" || [ $? -ge 128 ] || fail "$1 of $2"
}

# same FILE: it is what its replica restores to, in one generation.
same() {
	"$LSVFS" sync -timeout 20s "$1" || fail "sync of $1"
	"$LSVFS_RESTORE" -force -o restored.db "replica/$1" 2>err ||
		fail "$1: $(cat err)"
	"$LSVFS_RESTORE" -force -o first.db -txid 0 "replica/$1" 2>err ||
		fail "$1, its first: $(cat err)"
	cmp "$1" restored.db || fail "$1 is not what was committed"
	n=$(find "replica/$1/generations" -mindepth 1 -maxdepth 1 | wc -l)
	[ "$n" -eq 1 ] || fail "$1: $n generations, not 1"
}

for history in 'dies goes_on' 'dies goes_on dies goes_on' 'later' 'later later' \
	'empty' 'empty empty' 'empty_exclusive' 'empty_exclusive goes_on'; do
	name="${history// /-}.db"
	app begin "$name"
	for what in $history; do
		app "$what" "$name"
	done
	same "$name"
done
