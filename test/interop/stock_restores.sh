#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Both generations of stock Litestream restore a replica in our format, the
# latest and for each commit's time (I11).

. "${top_srcdir:-.}/test/lib/functions.sh"

stock3=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?
stock5=$("$top_srcdir/test/interop/stock.sh" 0.5.18) || exit $?

"$top_builddir/test/lib/mkreplica" -s states live.db replica <<'END'
PRAGMA page_size=1024; PRAGMA journal_mode=WAL
CREATE TABLE t(a INTEGER PRIMARY KEY, b)
INSERT INTO t(b) VALUES(randomblob(5000))
.snapshot
INSERT INTO t(b) VALUES(randomblob(7000))
.segment
INSERT INTO t(b) VALUES(randomblob(3000))
.segment
UPDATE t SET b = randomblob(6000) WHERE a = 1
.segment
INSERT INTO t(b) VALUES(randomblob(9000))
.rotate
CREATE TABLE u AS SELECT * FROM t
.segment
DELETE FROM t WHERE a = 2
.segment
INSERT INTO t(b) VALUES(randomblob(100))
.snapshot
INSERT INTO t(b) VALUES(randomblob(80000))
.segment
DROP TABLE u
.segment
VACUUM
END
last=$(find states -name '*.db' | wc -l)

for litestream in "$stock3" "$stock5"; do
	rm -f stock.db*
	"$litestream" restore -o stock.db "file://$PWD/replica" >log 2>&1 ||
		fail "$litestream: $(cat log)"
	same_file stock.db "states/$last.db"
	# Each segment here holds one commit, so its time is the commit's.
	for ((txid = 1; txid <= last; txid++)); do
		rm -f stock.db*
		time=$(cat "states/$txid.time")
		"$litestream" restore -o stock.db -timestamp "${time%.*}Z" \
			"file://$PWD/replica" >log 2>&1 ||
			fail "$litestream, $time: $(cat log)"
		same_file stock.db "states/$txid.db"
	done
done
