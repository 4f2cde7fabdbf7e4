#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A stranger resets the WAL while commits wait to be sent, so the generation
# ends; what is left of it cannot be sent either, for the replica lost it.  Both
# are said, and the next generation has all.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3
export LSVFS_OPTIONS="sync-interval=1h $LSVFS_OPTIONS"

# captured: the txid of the shadow's end.
captured()
{
	od -An -tu8 -j104 -N8 .a.db-litestream/coord
}
is_captured()
{
	[ "$(captured)" -gt "$before" ]
}

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(x);'
catch_up a.db
# Sent in an hour.
before=$(captured)
tell 'insert into t values(1);'
eventually 60 is_captured
rm -rf backup/a.db/generations

sqlite3 -cmd '.timeout 60000' a.db 'pragma wal_checkpoint(truncate)' \
	'insert into t values(2)' >out
[ "$(cat out)" = '0|0|0' ] || fail "no reset: $(cat out)"
tell 'insert into t values(3);'
eventually 60 said 'generation .* ends: its WAL was reset without us'
catch_up a.db
says 1 'generation .* ends'
says 1 'replica file lost what it had of it: .* which ended'
restored a.db
[ "$(rows r.db)" = 3 ] || fail "$(rows r.db) rows"
app_end
