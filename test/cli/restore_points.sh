#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every commit of a replica in our format, restored by its number, by its time
# and by its index, is what SQLite's own recovery made of that moment.

. "${top_srcdir:-.}/test/lib/functions.sh"

# history PAGE_SIZE: a script for mkreplica
history()
{
	cat <<-END
		PRAGMA page_size=$1; PRAGMA auto_vacuum=2
		PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b)
		INSERT INTO t(b) VALUES(zeroblob(5000))
		.snapshot
		INSERT INTO t(b) SELECT randomblob(900) FROM generate_series(1, 40)
		INSERT INTO t(b) VALUES('two')
		.segment
		UPDATE t SET b = randomblob(700) WHERE a % 3 = 0
		.rotate
		CREATE TABLE u AS SELECT * FROM t
		.checkpoint
		DELETE FROM t WHERE a > 10
		.segment
		PRAGMA incremental_vacuum
		INSERT INTO u(b) VALUES('three')
		.snapshot
		INSERT INTO t(b) SELECT randomblob(400) FROM generate_series(1, 99)
		.segment
		DROP TABLE u
		PRAGMA incremental_vacuum
		.segment
		INSERT INTO t(b) VALUES('four')
		.rotate
		VACUUM
		.segment
		INSERT INTO t(b) VALUES('five')
	END
}

# without the shell's generate_series
series='WITH RECURSIVE generate_series(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM generate_series WHERE value < \2) SELECT \1 FROM generate_series'

restore()
{
	rm -rf out.db .out.db-litestream
	"$LSVFS_RESTORE" -o out.db "$@" replica >out.txt
}

for page_size in 512 4096 65536; do
	for codec in lz4 zstd; do
		rm -rf replica states live.db*
		history $page_size |
			sed -E "s/SELECT ([a-z0-9()]+) FROM generate_series\(1, ([0-9]+)\)/$series/" |
			"$top_builddir/test/lib/mkreplica" -c $codec -s states \
				live.db replica
		last=$(find states -name '*.db' | wc -l)
		[ "$last" -ge 12 ] || fail "only $last commits"
		for ((txid = 1; txid <= last; txid++)); do
			restore -txid $txid -parallelism $((txid % 4 + 1))
			same_file out.db "states/$txid.db"
			grep -q "txid $txid of" out.txt || fail "$(cat out.txt)"
			restore -timestamp "$(cat "states/$txid.time")"
			same_file out.db "states/$txid.db"
		done
		restore
		same_file out.db "states/$last.db"
		restore -integrity-check full -txid 9999
		same_file out.db "states/$last.db"
		restore -timestamp 2099-12-31T23:59:59.999999999+00:00
		same_file out.db "states/$last.db"
	done
done

# An index ends with its last commit, which is the next one's snapshot's.
for index in 0 1 2 3; do
	restore -generation 0123456789abcdef -index $index
	txid=$(sed -E 's/.*txid ([0-9]+) of.*/\1/' out.txt)
	same_file out.db "states/$txid.db"
	echo "$index $txid"
done >indexes.txt
[ "$(wc -l <indexes.txt)" = 4 ] || fail "$(cat indexes.txt)"
sort -k2,2n -u indexes.txt | cmp - indexes.txt || fail "$(cat indexes.txt)"

# Between two commits it is the earlier one, to the nanosecond.
time=$(cat states/5.time)
restore -timestamp "${time%000000000Z}999999999Z"
same_file out.db states/5.db
restore -timestamp "$(date -u -d "${time%.*}Z + 1 second" +%FT%TZ)"
same_file out.db states/6.db

# Before the first there is nothing, and it is said what there is.
expect_exit 3 restore -timestamp 2001-01-01T00:00:00Z 2>err.txt
grep -q '^restorable: generation 0123456789abcdef: txid 1 (2023-' err.txt ||
	fail "$(cat err.txt)"
[ ! -e out.db ] || fail 'an output file after exit 3'
