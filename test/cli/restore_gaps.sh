#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Whatever object of a replica is lost: exit 0 comes with the very commit that
# was asked for, by its number, its time or its index, and never with one
# before it.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires tar gzip

gen=0123456789abcdef
"$top_builddir/test/lib/mkreplica" -s states live.db good <<'END'
PRAGMA page_size=512; PRAGMA journal_mode=WAL; CREATE TABLE t(a)
.snapshot
INSERT INTO t VALUES(2)
INSERT INTO t VALUES(3)
.segment
INSERT INTO t VALUES(4)
.snapshot
INSERT INTO t VALUES(5)
.rotate
INSERT INTO t VALUES(6)
INSERT INTO t VALUES(7)
.segment
INSERT INTO t VALUES(8)
.snapshot
.snapshot
INSERT INTO t VALUES(9)
.segment
INSERT INTO t VALUES(10)
END
ends=(4 5 8 8 10) # the last txid of each index

# What is lost, and for which txids, which txids' times and which indexes the
# restore is refused: where the lost object, or perhaps it, has what is asked.
# The last one shows nowhere: what was asked for is after the last commit.
losses=(
	'wal/00000000_00000000|2 3|1 2 3|0'
	'wal/00000000_00000[1-9a-f]*||3|0'
	'wal/00000001_00000000|5 6 7|4 5 6 7|1 2'
	'wal/00000002_00000000|6 7|5 6 7|1 2'
	'wal/00000002_00000[1-9a-f]*||7|2'
	'wal/00000004_00000000|9 10|8 9 10|4'
	'wal/00000004_00000[1-9a-f]*|||'
	'snapshots/00000000|||'
	'snapshots/00000001|||'
	'snapshots/00000003|||'
	'snapshots/00000004|9 10|9 10|4'
)

# restore STATUS OPTION...: of ./replica
restore()
{
	local expected=$1 status=0
	shift

	[ ! -e out.db ] || rm -r out.db .out.db-litestream
	"$LSVFS_RESTORE" -o out.db "$@" replica >out.txt 2>err.txt || status=$?
	[ $status = "$expected" ] ||
		fail "$lost lost, $*: exit $status, not $expected: $(cat out.txt err.txt)"
	case $status in
	0) ;;
	4) grep -qE '^error: missing (commits|.*\.(wal|snapshot)\.lz4)' err.txt ||
		fail "$lost lost, $*: $(cat err.txt)" ;;
	*) grep -q '^restorable: ' err.txt || fail "$*: $(cat err.txt)" ;;
	esac
	[ $status = 0 ] || [ ! -e out.db ] || fail "$*: a file after exit $status"
}

# asked TXID WORD REFUSED OPTION...: exactly that commit; or, where WORD is one
# of those that are REFUSED, status 4, and where it is before $first, 3
asked()
{
	local txid=$1 word=$2 refused=$3
	shift 3

	if [ "$word" -lt "$first" ]; then
		restore 3 "$@"
	elif [[ " $refused " = *" $word "* ]]; then
		restore 4 "$@"
		restore 4 -dry-run "$@"
	else
		restore 0 "$@"
		[ "$txid" -le "$last" ] || txid=$last
		same_file out.db "states/$txid.db"
	fi
}

# ask TXIDS TIMES INDEXES: for everything; what is refused
ask()
{
	local txid index first=$first

	for ((txid = 1; txid <= 10; txid++)); do
		asked $txid $txid "$1" -txid $txid
		asked $txid $txid "$2" -timestamp "$(<"states/$txid.time")"
	done
	first=$first_index
	for index in 0 1 2 3 4; do
		asked "${ends[index]}" $index "$3" -generation $gen -index $index
	done
}

lost=nothing first=1 first_index=0 last=10
cp -r good replica
ask '' '' ''
for loss in "${losses[@]}"; do
	IFS='|' read -r lost txids times indexes <<<"$loss"
	rm -r replica
	cp -r good replica
	# shellcheck disable=SC2206 # a pattern
	objects=("replica/generations/$gen/"$lost.*)
	[ ${#objects[@]} = 1 ] || fail "not one object: ${objects[*]}"
	rm "${objects[0]}"
	first=1 first_index=0 last=10
	[ "$lost" != snapshots/00000000 ] || first=4 first_index=1
	[[ "$lost" != wal/00000004_*f* ]] || last=9
	ask "$txids" "$times" "$indexes"
done

# A replica in which retention was at work lacks nothing.
rm -r replica
cp -r good replica
rm replica/generations/$gen/*/0000000[012][._]*
lost='the oldest' first=8 first_index=3 last=10
ask '' '' ''

# What a generation began with is gone: an older one does not stand in for it.
old=1111111111111111
make()
{
	rm -rf live.db* replica
	"$top_builddir/test/lib/mkreplica" -g $old live.db replica <<-'END'
		PRAGMA journal_mode=WAL; CREATE TABLE old(a)
		.time 2023-01-01T00:00:00Z
		.snapshot
		INSERT INTO old VALUES(2)
	END
	cp -r "good/generations/$gen" replica/generations/
}
make
lost=nothing
restore 0 -timestamp "$(<states/1.time)"
same_file out.db states/1.db
restore 0 -timestamp 2023-11-01T00:00:00Z
grep -q "txid 2 of .*$old/" out.txt || fail "$(cat out.txt)"
mv out.db old.db
lost=snapshots/00000000
rm "replica/generations/$gen/$lost.snapshot.lz4"
for time in 2023-11-01T00:00:00Z "$(<states/1.time)" "$(<states/3.time)"; do
	restore 3 -timestamp "$time"
	grep -q "generation $old ends before .* generation $gen began" err.txt ||
		fail "$(cat err.txt)"
	restore 0 -generation $old -timestamp "$time"
	same_file out.db old.db
done
restore 0 -timestamp "$(<states/4.time)"
same_file out.db states/4.db
restore 0 -timestamp 2023-01-01T00:00:01Z
same_file out.db old.db

# What a generation ended with is gone: the next one says where that was.
# followed POSITION: the next one began there.
followed()
{
	mkdir -p "replica/generations/$gen/lsvfs"
	printf '{"generation":"%s","parent":"%s"}\n' $gen "$1" \
		>"replica/generations/$gen/lsvfs/lineage.json"
}
make
lost=nothing
restore 0 -generation $old
end=$(sed -n 's/.*position \([0-9a-f/:]*\),.*/\1/p' out.txt)
followed "$end"
restore 0 -timestamp 2023-11-01T00:00:00Z
same_file out.db old.db
lost='the last segment'
rm replica/generations/$old/wal/*
for time in 2023-01-01T00:00:01Z 2023-11-01T00:00:00Z; do
	restore 4 -timestamp $time
	grep -q "commits from $old/00000000:00000000 to $end, .* of 2023-01-01T00:00:00.0" \
		err.txt || fail "$(cat err.txt)"
done
restore 0 -timestamp 2023-01-01T00:00:00Z
restore 0 -timestamp "$(<states/1.time)"
same_file out.db states/1.db
for from in "$old/00000001:00000000" "$old/00000000:00000000" \
	"2222222222222222/00000007:00001000" nonsense; do
	followed $from
	restore 0 -timestamp 2023-11-01T00:00:00Z
done
rm replica/generations/$gen/lsvfs/lineage.json
ln -s lineage.json replica/generations/$gen/lsvfs/lineage.json
status=0
"$LSVFS_RESTORE" -o none.db -timestamp 2023-11-01T00:00:00Z replica \
	2>err.txt || status=$?
[ $status = 1 ] || fail "exit $status: $(cat err.txt)"
grep -q 'cannot read .*lineage.json' err.txt || fail "$(cat err.txt)"

# An index that no commit has come to.
lost='no object'
for index in 5 7fffffff; do
	restore 3 -generation $gen -index $index
	grep -q "cannot find index 0*$index in generation $gen: its last one is 00000004" \
		err.txt || fail "$(cat err.txt)"
done

# Of Litestream's objects only the names tell.
rm -r replica
tar -xzf "$top_srcdir/test/golden/stock-good.tar.gz"
wal=replica/generations/05fb0a01673bd303/wal
touch -d 2026-01-01 "$wal/../snapshots/"*
second=$(date -u -r $wal/00000000_00000880.wal.lz4 +%FT%T.%NZ)
lost=00000000_000012f8
restore 0 -timestamp "$second"
mv out.db second.db
mv $wal/$lost.wal.lz4 .
restore 4 -timestamp "$second"
grep -q "missing .*$lost.wal.lz4: .*/00000000_00001d70.wal.lz4 follows" err.txt ||
	fail "$(cat err.txt)"
mv $lost.wal.lz4 $wal
restore 0 -timestamp "$second"
same_file out.db second.db
# Of another index: that shows before anything is fetched.
for name in 00000001_00000020 00000002_00000000; do
	cp -p $wal/00000000_000027e8.wal.lz4 $wal/$name.wal.lz4
	rm -f $wal/00000000_000012f8* $wal/00000000_00001d70* $wal/00000000_000027e8*
	restore 4 -dry-run -timestamp "$second"
	grep -q "missing .*/00000001_00000000.wal.lz4: .*/$name.wal.lz4 follows" \
		err.txt || fail "$(cat err.txt)"
	mv $wal/$name.wal.lz4 $wal/00000000_000027e8.wal.lz4
done
