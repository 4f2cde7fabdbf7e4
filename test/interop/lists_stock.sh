#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs generations, snapshots and wal print of one replica what stock
# Litestream 0.3.13 prints of it, byte for byte: of its own replica and of ours,
# for a URL and for a database.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires python3
litestream=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?

mkdir stock ours
tar -xzf "$top_srcdir/test/golden/stock-good.tar.gz" -C stock
"$top_builddir/test/lib/mkreplica" ours/live.db ours/replica <<'END'
PRAGMA page_size=1024; PRAGMA journal_mode=WAL
CREATE TABLE t(a INTEGER PRIMARY KEY, b)
INSERT INTO t(b) VALUES(randomblob(5000))
.snapshot
INSERT INTO t(b) VALUES(randomblob(7000))
.segment
UPDATE t SET b = randomblob(6000) WHERE a = 1
.rotate
INSERT INTO t(b) VALUES(randomblob(80000))
.snapshot
DELETE FROM t
END

# The lag of a URL's replica is measured from now: not the same twice, nor as
# wide.
without_lag()
{
	sed -E '1s/ lag +/ lag /; s/  -?[0-9.]+(h[0-9]+m[0-9]+|m[0-9]+|µ|m|n|)s +/ LAG /'
}

# same COMMAND ARGUMENT...
same()
{
	"$litestream" "$@" >stock.out 2>stock.err ||
		fail "stock $*: $(cat stock.err)"
	"$LSVFS" "$@" >ours.out
	[ "$(wc -l <ours.out)" -gt 1 ] || fail "$*: nothing is listed"
	diff stock.out ours.out || fail "$*: not what stock prints"
}

# member EXPRESSION FILE: of the JSON object "it".
member()
{
	python3 -c 'import json, sys
it = json.load(open(sys.argv[2]))
print(eval(sys.argv[1]))' "$@"
}

sum()
{
	python3 -c 'import decimal, sys
print(sum(map(decimal.Decimal, sys.argv[1:])))' "$@"
}

for replica in stock/*/ ours/replica; do
	[ -d "$replica/generations" ] || continue
	replica=$(realpath "$replica")
	same snapshots "file://$replica"
	same wal "file://$replica"
	generation=$(basename "$(find "$replica/generations" -mindepth 1 \
		-maxdepth 1 | sort | head -n 1)")
	same wal -generation "$generation" "file://$replica"
	same wal --generation="$generation" "file://$replica"
	"$litestream" generations "file://$replica" 2>&1 |
		without_lag >stock.out
	"$LSVFS" generations "file://$replica" | without_lag >ours.out
	grep -q ' LAG ' ours.out || fail "no lag: $(cat ours.out)"
	diff stock.out ours.out || fail 'generations: not what stock prints'

	# The same rows, for programs.
	"$LSVFS" wal -json "$replica" >wal.json
	[ "$(member 'len(it["segments"])' wal.json)" = \
		"$(find "$replica" -name '*.wal.lz4' | wc -l)" ] ||
		fail 'wal -json has not one row a segment'
	"$LSVFS" snapshots -json "$replica" >snapshots.json
	object=$(member 'it["snapshots"][0]["object"]' snapshots.json)
	[ -s "$replica/$object" ] || fail "snapshots -json names '$object'"
done

# By the database, the lag is its own: between its last write and the replica's
# last object.
for lag in -3.5 0 0.0000005 0.000123456 0.0123 1.25 59.94 83.7 3723.1 90061; do
	mkdir -p lag
	cp -a ours/replica "lag/$lag"
	last=$(find "lag/$lag" -name '*.lz4' -printf '%T@\n' | sort -n | tail -n 1)
	touch -d "@$(sum "$last" "$lag")" "lag/$lag.db"
	echo "dbs: [{path: $PWD/lag/$lag.db, replicas: [{path: $PWD/lag/$lag}]}]" \
		>litestream.yml
	"$litestream" generations -config litestream.yml "$PWD/lag/$lag.db" \
		>stock.out
	LSVFS_REPLICA_URL=$PWD/lag/$lag \
		"$LSVFS" generations "lag/$lag.db" >ours.out
	diff stock.out ours.out || fail "lag $lag: not what stock prints"
done

# Nothing is there: as stock, no row and no error, but it is said.
"$LSVFS" snapshots "file://$PWD/none" >out 2>err
[ "$(wc -l <out)" = 1 ] || fail "rows of nothing: $(cat out)"
grep -q 'no backup' err || fail "not said: $(cat err)"
