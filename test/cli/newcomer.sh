#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a newcomer trips over is said in words that help, on the right stream,
# with the right exit status.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3

export LSVFS_REPLICA_URL=$PWD/backup/%f LSVFS_OPTIONS=shutdown-sync-timeout=60s

# refuses STATUS WORDS COMMAND...: exits so, says so on stderr alone.
refuses()
{
	local status=$1 words=$2
	shift 2

	expect_exit "$status" "$@" >out 2>err
	[ ! -s out ] || fail "$*: printed $(cat out)"
	grep -q "^error: .*$words" err || fail "$*: said $(cat err)"
	[ "$(grep -c ^error: err)" = 1 ] || fail "$*: said more: $(cat err)"
}

# One word too many, or wrong.
refuses 2 "'extra' is one too many" "$LSVFS" version extra
refuses 2 "no command 'extra'" "$LSVFS" help extra
refuses 2 "'extra' is one too many" "$LSVFS" help sync extra
refuses 3 '-bogus: no such option' "$LSVFS" status -bogus a.db
refuses 2 '-bogus: no such option' "$LSVFS" sync -bogus a.db
refuses 2 '-bogus: no such option' "$LSVFS" wal -bogus a.db
refuses 2 '-timeout: expected a value' "$LSVFS" sync -timeout
refuses 2 "'s3:x/%z'" "$LSVFS" sync -replica-url s3:x/%z a.db

# A database in another mode: nothing is replicated, and that can be seen.
preload sqlite3 plain.db 'create table t(x)' 2>err
[ ! -s err ] || fail "said $(cat err)"
LSVFS_LOG=warn preload sqlite3 plain.db 'insert into t values(1)' \
	'.open other.db' '.open plain.db' 'insert into t values(2)' 2>err
[ "$(grep -c 'plain.db is not in WAL mode: .*journal_mode=wal' err)" = 1 ] ||
	fail "line $LINENO: said $(cat err)"
[ "$(wc -l <err)" = 1 ] || fail "said more: $(cat err)"
[ ! -e .plain.db-litestream ] || fail "a folder for a database not replicated"
expect_exit 2 "$LSVFS" status plain.db >out
grep -q '^state *not in WAL mode' out || fail "status: $(cat out)"
grep -q '^error *run PRAGMA journal_mode=wal' out || fail "status: $(cat out)"
refuses 1 'not in WAL mode' "$LSVFS" sync plain.db

# One that makes its tables first is not told off.
LSVFS_LOG=warn preload sqlite3 a.db 'create table t(x)' \
	'pragma journal_mode=wal' 'insert into t values(1)' >out 2>err
[ ! -s err ] || fail "said $(cat err)"
"$LSVFS" status a.db >out || fail "status: exit $?: $(cat out)"

# Where nothing can be written: that is no answer of the replica's.
refuses 1 'cannot make' "$LSVFS_RESTORE" -o /proc/a.db backup/a.db
refuses 1 'cannot make' "$LSVFS_RESTORE" -o /proc/nosuch/a.db backup/a.db
refuses 3 'no backup' "$LSVFS_RESTORE" -o b.db backup/nosuch

# A URL that can never work is refused at once, with the reason.
LSVFS_REPLICA_URL=nosuch://bucket/x refuses 1 'unknown scheme' \
	"$LSVFS" sync a.db
LSVFS_REPLICA_URL='' refuses 1 'give -replica-url' "$LSVFS" sync a.db

# Another database's replica: whose, and what to do, in the status as well.
export LSVFS_REPLICA_URL=$PWD/backup/a.db
preload sqlite3 second.db 'pragma journal_mode=wal; create table t(x)' \
	>out 2>err
grep -q 'belongs to .*/a.db on .*lsvfs sync -takeover' err ||
	fail "line $LINENO: said $(cat err)"
expect_exit 2 "$LSVFS" status second.db >out
grep -q '^error .*belongs to .*/a.db on .*lsvfs sync -takeover' out ||
	fail "status: $(cat out)"
"$LSVFS" sync -takeover -timeout 60s second.db || fail "-takeover: exit $?"
"$LSVFS_RESTORE" -o r.db backup/a.db >out
same_file second.db r.db
