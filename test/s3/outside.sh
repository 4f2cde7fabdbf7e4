#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate to a bucket, beside a program that knows nothing of us: when
# it is told to end, everything is there or its exit status says that it is not;
# killed, it goes on where it was.

. "${top_srcdir:-.}/test/lib/s3.sh"
. "${top_srcdir:-.}/test/lib/outsider.sh"

find_store minio
start_store
at=s3://bkt.localhost:$store_port/app.db
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=60s'

has_rows()
{
	[ "$(sqlite3 app.db 'SELECT count(*) FROM t')" -ge "$1" ]
}

sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE t(a, b)' >/dev/null
start app.db "$at"
python3 writer.py app.db 3000
stop 0
same_restored app.db "$at"

# What comes after it was told to end is the next one's.
start app.db "$at" "$PWD/backup"
python3 writer.py app.db 3000 &
writer=$!
cleanup kill_quietly "$writer"
eventually 60 has_rows 3500
stop 0
wait "$writer" || fail "the program: exit $?"
start app.db "$at" "$PWD/backup"
stop 0
same_restored app.db "$at"
same_restored app.db backup

start app.db "$at"
python3 writer.py app.db 3000 &
writer=$!
cleanup kill_quietly "$writer"
eventually 60 has_rows 6500
kill_quietly "$replicate_pid"
wait "$writer" || fail "the program: exit $?"
start app.db "$at"
stop 0
same_restored app.db "$at"

# The store is away.
stop_store
LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=1s' start app.db "$at"
python3 writer.py app.db 100
stop 1
start_store
start app.db "$at"
stop 0
same_restored app.db "$at"
keeps_secret replicate.log restore.log .app.db-litestream store.log
