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
	local status=$1 words=$2 got=0
	shift 2

	"$@" >out 2>err || got=$?
	[ "$got" = "$status" ] || fail "$*: exit $got: $(cat err)"
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

# A replica that was taken away, with nothing left to send; that lost what was
# put last; that nobody can look into; and without what is known of its objects.
preload sqlite3 a.db 'insert into t values(2)'
"$LSVFS" sync a.db || fail "sync: exit $?"
mv backup/a.db away
refuses 1 'lacks generations/.*/wal/.* remove .*/.a.db-litestream' \
	"$LSVFS" sync a.db
[ ! -e backup/a.db ] || fail "sync made the replica's folder"
touch backup/a.db
refuses 1 'cannot look at replica .*/backup/a.db' "$LSVFS" sync a.db
rm backup/a.db
mv away backup/a.db
"$LSVFS" sync a.db || fail "sync: exit $?"
for what in wal snapshots; do
	last=$(find backup/a.db/generations/*/$what -type f | sort | tail -n 1)
	mv "$last" object
	refuses 1 "lacks generations/.*/${last##*/}, which" "$LSVFS" sync a.db
	mv object "$last"
	"$LSVFS" sync a.db || fail "sync: exit $?"
	rm -f .a.db-litestream/catalogue*
done

# Where nothing can be written: that is no answer of the replica's.
refuses 1 'cannot make' "$LSVFS_RESTORE" -o /proc/a.db backup/a.db
refuses 1 'cannot make' "$LSVFS_RESTORE" -o /proc/nosuch/a.db backup/a.db
refuses 3 'no backup' "$LSVFS_RESTORE" -o b.db backup/nosuch
refuses 3 'in backup, but there is one in backup/a.db$' \
	"$LSVFS_RESTORE" -o b.db backup
mkdir empty
refuses 3 'in empty$' "$LSVFS_RESTORE" -o b.db empty

# A new database: what to do has an effect.
sqlite3 new.db 'pragma journal_mode=wal; create table t(x)' >out
expect_exit 3 "$LSVFS" status new.db >out
grep -q '^error .*LD_PRELOAD=liblsvfs.so.*LSVFS_REPLICA_URL' out ||
	fail "status: $(cat out)"

# A URL that can never work is refused at once, with the reason.
LSVFS_REPLICA_URL=nosuch://bucket/x refuses 2 'unknown scheme' \
	"$LSVFS" sync a.db
LSVFS_REPLICA_URL='' refuses 2 'give -replica-url, set LSVFS_REPLICA_URL' \
	"$LSVFS" sync a.db

# One slash, or none, makes no URL, and no folder of that name either.
for url in s3:/bucket/x s3:bucket file:/backup file:backup FILE:backup gs:/x; do
	LSVFS_REPLICA_URL=$url refuses 2 "'$url': .*://.* with ./ before" \
		"$LSVFS" sync a.db
	refuses 2 "'$url': .*://" "$LSVFS" replicate -exec true a.db "$url"
	refuses 2 "'$url': .*://" "$LSVFS_RESTORE" -o b.db "$url"
	refuses 2 "'$url': .*://" "$LSVFS" snapshots "$url"
	[ ! -e "${url%%:*}:" ] || fail "$url: a folder was made"
done
# A name that only looks like one is a path.
LSVFS_REPLICA_URL=./s3:x "$LSVFS" sync -timeout 60s a.db
[ -d s3:x ] || fail './s3:x was not used'
# No key that was written where none belongs.
refuses 2 "'s3:/host/x':" "$LSVFS_RESTORE" -o b.db 's3:/ID:SECRET@host/x?y=z'

# What is the database itself is no directory for its replica.
ln -s "$PWD/a.db" link.db
for url in a.db "$PWD/a.db" "file://$PWD/a.db" ./x/../a.db a.db/x /%p %f link.db; do
	refuses 2 "$PWD/a.db to .*: that is the database itself" \
		"$LSVFS" replicate -exec true a.db "$url"
	LSVFS_REPLICA_URL=$url refuses 2 'that is the database itself' \
		"$LSVFS" sync a.db
done
refuses 2 'that is the database itself' \
	"$LSVFS" replicate -exec true not_yet.db not_yet.db
LSVFS_REPLICA_URL=$PWD/a.db preload sqlite3 a.db 'insert into t values(2)' \
	'.open a.db' '.open a.db' 2>err
[ "$(grep -c 'that is the database itself' err)" = 1 ] ||
	fail "line $LINENO: said $(cat err)"

# What is said once is said in one line.
refuses 2 "'nosuch://x/y': unknown scheme.*prefix$" \
	"$LSVFS" replicate -exec true a.db nosuch://x/y
refuses 2 "'file://host/x': expected .*have$" "$LSVFS_RESTORE" -o b.db file://host/x
echo 'dbs: []' >none.yml
refuses 3 'none.yml names no database$' "$LSVFS" status -config none.yml
refuses 1 'none.yml names no database$' "$LSVFS" replicate -config none.yml

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
