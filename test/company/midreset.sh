#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The WAL is reset by a program without us just when `lsvfs replicate` goes to
# read it for the first snapshot: that is tried again.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 strace python3

export LSVFS_OPTIONS="$LSVFS_OPTIONS checkpoint=native"
# All is in the database's file, so the next commit resets the WAL.
LIBLSVFS='' app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(x); insert into t values(1);'
tell 'pragma wal_checkpoint;'

: >trace
# It stands whenever it has read from the WAL.
strace -f -o trace -P "$PWD/a.db-wal" -e trace=pread64 -e signal=none \
	-e inject=pread64:delay_exit=700000 "$LSVFS" replicate a.db 2>err &
tracer=$!
has_read()
{
	[ "$(grep -c DELAYED trace)" -ge 3 ]
}
for ((i = 0; i < 200; i++)); do
	! has_read || break
	tell 'insert into t values(2); pragma wal_checkpoint;'
done
has_read || fail "$(cat err trace)"
eventually 60 is_restored a.db
kill -TERM "$(awk '{ print $1; exit }' trace)"
wait "$tracer" || fail "exit $?: $(cat err)"
restored a.db
app_end
