#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Replicas of fixed bytes (test/golden/): what was once written is read, what
# is broken is refused with the object's name and leaves no file.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires tar gzip

gen=generations/0123456789abcdef
second=$gen/wal/00000000_00000ec8.wal.lz4
third=$gen/wal/00000000_00001728.wal.lz4
index1=$gen/wal/00000001_00000000.wal.lz4
index2=$gen/wal/00000002_00000000.wal.lz4
last=$gen/wal/00000002_00000668.wal.lz4
snap0=$gen/snapshots/00000000.snapshot.lz4
snap2=$gen/snapshots/00000002.snapshot.lz4
stock=generations/05fb0a01673bd303

unpack()
{
	rm -rf replica expected.db out.db .out.db-litestream
	tar -xzf "$top_srcdir/test/golden/$1.tar.gz"
}

# refused NAME STATUS TEXT [OPTION...]: and what it says has TEXT in it
refused()
{
	local name=$1 status=$2 text=$3
	shift 3

	unpack "$name"
	for parallelism in 1 3; do
		expect_exit "$status" "$LSVFS_RESTORE" -o out.db \
			-parallelism $parallelism "$@" replica 2>err.txt >out.txt
		grep -qF -- "$text" err.txt ||
			fail "$name: no '$text' in: $(cat err.txt)"
		[ ! -s out.txt ] || fail "$name: $(cat out.txt)"
		[ "$(find . -name '*out.db*')" = '' ] ||
			fail "$name: $(find . -name '*out.db*') was left"
	done
}

for name in ours-good stock-good; do
	unpack $name
	"$LSVFS_RESTORE" -o out.db replica >out.txt
	same_file out.db expected.db
done
unpack ours-good
"$LSVFS_RESTORE" -o out.db -integrity-check full -json \
	-timestamp 2023-11-14T22:13:28Z replica >out.json
grep -q '"txid": 8' out.json || fail "$(cat out.json)"
for name in ours-flip-segment ours-missing-segment ours-swapped-segments; do
	# What is broken before the snapshot does no harm behind it.
	unpack $name
	"$LSVFS_RESTORE" -o out.db replica >out.txt
	grep -q 'txid 9 of' out.txt || fail "$name: $(cat out.txt)"
done

refused ours-flip-segment 4 "damaged $second" -txid 6
refused ours-flip-snapshot 4 "damaged $snap2"
refused ours-flip-table 4 "damaged $last"
refused ours-truncated-segment 4 "damaged $second" -txid 6
refused ours-truncated-snapshot 4 "damaged $snap2"
refused ours-truncated-table 4 "damaged $last"
refused ours-no-table 4 "damaged $last"
refused ours-missing-segment 4 "missing $second: $third" -txid 6
refused ours-missing-first 4 "missing $index2: $last"
refused ours-missing-end 4 "missing segment before $index1: txid 5" -txid 6
refused ours-missing-index 4 "missing $index1: $index2"
refused ours-missing-snapshots 4 \
	'damaged generation 0123456789abcdef: it has no snapshot'
refused ours-swapped-segments 4 "damaged $third" -txid 6
refused ours-swapped-snapshots 4 "damaged $snap2"
refused ours-foreign-lineage 4 "damaged $second: it belongs to another lineage" \
	-txid 6
refused ours-foreign-generation 4 "damaged $second" -txid 6
refused ours-newer-table 1 "cannot read $last: a newer lsvfs"
refused ours-wrong-table 4 "damaged $second: its commits are not those of" -txid 4
refused ours-altered-segment 4 "damaged $second: it does not continue" -txid 6
refused ours-altered-snapshot 4 "damaged $snap0 or a segment behind it" -txid 3

refused stock-flip-segment 4 "damaged $stock/wal/00000000_00000880.wal.lz4"
refused stock-flip-snapshot 4 "damaged $stock/snapshots/00000000.snapshot.lz4"
refused stock-truncated-segment 4 "damaged $stock/wal/00000000_000027e8.wal.lz4"
refused stock-truncated-end 4 "damaged $stock/wal/00000000_000027e8.wal.lz4"
refused stock-missing-segment 4 "missing $stock/wal/00000000_00000880.wal.lz4"
refused stock-missing-snapshot 4 \
	'damaged generation 05fb0a01673bd303: it has no snapshot'
refused stock-ltx 1 'LTX files of Litestream 0.5'
refused stock-good 3 'Litestream wrote' -txid 1
refused stock-good 3 'before its first snapshot' -timestamp 2026-01-01T00:00:00Z \
	-generation 05fb0a01673bd303
refused ours-good 3 'cannot find generation 0000000000000001' \
	-generation 0000000000000001

# A snapshot of stock's taken in the middle of its index: what it holds is in
# the next segment, too, so without that there is no such database.
unpack stock-good
third=replica/$stock/wal/00000000_000012f8.wal.lz4
next=replica/$stock/wal/00000000_00001d70.wal.lz4
touch -r "$third" "replica/$stock/snapshots/00000000.snapshot.lz4"
expect_exit 3 "$LSVFS_RESTORE" -o out.db \
	-timestamp "$(date -u -r "$third" +%FT%T.%NZ)" replica 2>err.txt
grep -q "from $(date -u -r "$next" +%FT%T.%NZ) on it is possible" err.txt ||
	fail "$(cat err.txt)"
"$LSVFS_RESTORE" -o out.db -timestamp "$(date -u -r "$next" +%FT%T.%NZ)" \
	replica >out.txt
