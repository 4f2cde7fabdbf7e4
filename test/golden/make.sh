#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make.sh MKREPLICA LITESTREAM_0.3 LITESTREAM_0.5 OUT: how the golden replicas
# were made.  They stay as they are, so that what was once written is read
# forever: this script is for adding one, not for making them again.  Needs
# python3-xxhash.

set -eu -o pipefail

mkreplica=$1 stock3=$2 stock5=$3 out=$4
gen=generations/0123456789abcdef
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

script='PRAGMA page_size=512; PRAGMA journal_mode=WAL
CREATE TABLE t(a INTEGER PRIMARY KEY, b)
INSERT INTO t(b) VALUES(printf("%.500c", "a"))
.snapshot
INSERT INTO t(b) VALUES(printf("%.700c", "b"))
INSERT INTO t(b) VALUES(printf("%.300c", "c"))
.segment
UPDATE t SET b = printf("%.600c", "d") WHERE a = 1
.segment
INSERT INTO t(b) VALUES(printf("%.900c", "e"))
.rotate
DELETE FROM t WHERE a = 2
.segment
INSERT INTO t(b) VALUES(printf("%.100c", "f"))
.snapshot
INSERT INTO t(b) VALUES(printf("%.800c", "g"))
.segment
INSERT INTO t(b) VALUES(printf("%.200c", "h"))'

make_ours()
{
	local to=$1
	shift

	rm -rf live.db* states
	"$mkreplica" -s states "$@" live.db "$to" <<<"${altered:-$script}"
}

# pack NAME: ./replica and ./expected.db, if there is one, into OUT/NAME.tar.gz
pack()
{
	local files=(replica)

	[ ! -e expected.db ] || files+=(expected.db)
	tar --format=gnu --owner=0 --group=0 --numeric-owner --sort=name \
		-cf - "${files[@]}" | gzip -n9 >"$out/$1.tar.gz"
}

# broken NAME COMMAND...: the good one, after COMMAND within it
broken()
{
	local name=$1
	shift

	rm -rf replica
	cp -a good replica
	(cd "replica/$gen" && "$@")
	pack "$name"
}

# flip FILE OFFSET: one bit; an offset below 0 counts from the end
flip()
{
	python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[int(sys.argv[2])] ^= 1
open(sys.argv[1], "wb").write(b)' "$1" "$2"
}

swap()
{
	mv "$1" x
	mv "$2" "$1"
	mv x "$2"
}

# no_table FILE: without its skippable frame
no_table()
{
	python3 -c 'import sys
b = open(sys.argv[1], "rb").read()
n = int.from_bytes(b[-8:-4], "little") + 8
open(sys.argv[1], "wb").write(b[:-n])' "$1"
}

# retable FILE OFFSET VALUE: another byte in its table, which stays whole
retable()
{
	/usr/bin/python3 -c 'import sys, xxhash
b = bytearray(open(sys.argv[1], "rb").read())
n = int.from_bytes(b[-8:-4], "little")
t = b[-n:]
t[int(sys.argv[2])] = int(sys.argv[3])
t[-16:-8] = xxhash.xxh64(bytes(t[:-16])).intdigest().to_bytes(8, "little")
b[-n:] = t
open(sys.argv[1], "wb").write(b)' "$@"
}

make_ours good
cp -a good replica
cp states/9.db expected.db
pack ours-good
rm expected.db

make_ours foreign -l M
altered=${script/'"a"'/'"z"'} make_ours altered
make_ours other -g fedcba9876543210
seg1=$(basename "$(find good/$gen/wal -name '00000000_*' | sort | sed -n 2p)")
seg2=$(basename "$(find good/$gen/wal -name '00000000_*' | sort | sed -n 3p)")
last=$(basename "$(find good/$gen/wal -name '00000002_*' | sort | tail -1)")
printf 'second segment %s, third %s, last %s\n' "$seg1" "$seg2" "$last"

# Restores of the latest begin with snapshot 2: what is broken before it
# shows in a restore to an earlier commit.
broken ours-flip-segment flip "wal/$seg1" 40
broken ours-flip-snapshot flip snapshots/00000002.snapshot.lz4 60
broken ours-flip-table flip "wal/$last" -60
broken ours-truncated-segment truncate -s 100 "wal/$seg1"
broken ours-truncated-snapshot truncate -s 100 \
	snapshots/00000002.snapshot.lz4
broken ours-truncated-table truncate -s -5 "wal/$last"
broken ours-no-table no_table "wal/$last"
broken ours-missing-segment rm "wal/$seg1"
broken ours-missing-first rm wal/00000002_00000000.wal.lz4
broken ours-missing-end rm "wal/$seg2"
broken ours-missing-index \
	sh -c 'rm wal/00000001_* snapshots/00000002.snapshot.lz4'
broken ours-missing-snapshots rm -r snapshots
broken ours-swapped-segments swap "wal/$seg1" "wal/$seg2"
broken ours-swapped-snapshots swap snapshots/00000000.snapshot.lz4 \
	snapshots/00000002.snapshot.lz4
broken ours-foreign-lineage cp "$scratch/foreign/$gen/wal/$seg1" wal/
broken ours-foreign-generation \
	cp "$scratch/other/generations/fedcba9876543210/wal/$seg1" wal/
broken ours-newer-table retable "wal/$last" 8 2
# The first record's checksum.
broken ours-wrong-table retable "wal/$seg1" 104 1
# Whole, in its place, but of another database: only the page hash knows.
broken ours-altered-snapshot \
	cp "$scratch/altered/$gen/snapshots/00000000.snapshot.lz4" snapshots/
# Whole, in its place, of the same lineage, but of another history.
broken ours-altered-segment cp "$scratch/altered/$gen/wal/$seg1" wal/

# Stock 0.3: three rounds of writing, each shipped.
rm -rf replica live.db*
sqlite3 live.db 'PRAGMA page_size=512; PRAGMA journal_mode=WAL;
	CREATE TABLE t(a INTEGER PRIMARY KEY, b)' >/dev/null
printf 'dbs:\n- path: %s\n  replicas:\n  - path: %s\n    sync-interval: 100ms\n' \
	"$PWD/live.db" "$PWD/replica" >litestream.yml
"$stock3" replicate -config litestream.yml >/dev/null 2>&1 &
pid=$!
for letter in a b c d; do
	sleep 1.5
	sqlite3 live.db "INSERT INTO t(b) VALUES(printf('%.1500c', '$letter'))"
done
sleep 1.5
kill $pid
wait $pid || :
"$stock3" restore -o expected.db "file://$PWD/replica" >/dev/null 2>&1
cp -a replica good3
pack stock-good
rm expected.db
seg=$(cd good3 && find . -name '00000000_*.wal.lz4' | sort | sed -n 2p)
end=$(cd good3 && find . -name '*.wal.lz4' | sort | tail -1)
snap=$(cd good3 && find . -name '*.snapshot.lz4')
printf 'stock: second segment %s, last %s, snapshot %s\n' "$seg" "$end" "$snap"

broken3()
{
	local name=$1
	shift

	rm -rf replica
	cp -a good3 replica
	(cd replica && "$@")
	pack "$name"
}

broken3 stock-flip-segment flip "$seg" 40
broken3 stock-flip-snapshot flip "$snap" 60
broken3 stock-truncated-segment truncate -s -20 "$end"
# Only the content checksum is cut off.
broken3 stock-truncated-end truncate -s -4 "$end"
broken3 stock-missing-segment rm "$seg"
broken3 stock-missing-snapshot rm "$snap"

rm -rf replica live.db* .live.db-litestream
sqlite3 live.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a)' >/dev/null
"$stock5" replicate -config litestream.yml >/dev/null 2>&1 &
pid=$!
sleep 3
kill $pid
wait $pid || :
pack stock-ltx
