#!/bin/bash
# SPDX-License-Identifier: MIT
#
# How long a restore takes, beside a copy of the result and stock Litestream:
# MB of database with as much WAL behind it; in turns, onto new blocks each
# time; medians, and the most memory each needed.
#
#	test/bench/restore_speed.sh [MB] [ROUNDS]      (in the build folder)

. "${top_srcdir:-$(dirname "$0")/../..}/test/lib/functions.sh"

requires /usr/bin/time
mb=${1:-1000} rounds=${2:-5}
stock=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || stock=

# 500 rows of 2000 bytes, half of them noise, are about a megabyte.
rows=$((mb * 500))
{
	echo 'PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF'
	echo 'CREATE TABLE t(a INTEGER PRIMARY KEY, b)'
	for ((i = 0; i < 10; i++)); do
		echo "INSERT INTO t(b) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n WHERE i < $((rows / 10)))
			SELECT randomblob(900) || zeroblob(1050) FROM n" | tr '\n' ' '
		echo
		echo .checkpoint
	done
	echo .snapshot
	for ((i = 0; i < 100; i++)); do
		from=$((RANDOM * RANDOM % (rows - rows / 100)))
		echo "UPDATE t SET b = randomblob(900) || zeroblob(1050)" \
			"WHERE a BETWEEN $from AND $((from + rows / 100))"
		echo .segment
	done
} | "$top_builddir/test/lib/mkreplica" live.db replica
printf 'database %s MB, replica %s MB in %s objects\n' \
	"$(($(stat -c %s live.db) / 1000000))" "$(du -sm replica | cut -f1)" \
	"$(find replica -type f | wc -l)"
rm -f live.db*

# timed NAME COMMAND...: appends "seconds kilobytes" to NAME.times
timed()
{
	local name=$1
	shift

	sync
	/usr/bin/time -a -o "$name.times" -f '%e %M' "$@" >/dev/null 2>"$name.log"
}

for ((i = 0; i < rounds; i++)); do
	rm -rf ours.db .ours.db-litestream
	timed restore "$LSVFS_RESTORE" -o ours.db replica
	rm -f copy.db
	timed copy dd if=ours.db of=copy.db bs=1M conv=fdatasync
	[ -n "$stock" ] || continue
	rm -f stock.db
	timed stock "$stock" restore -o stock.db "file://$PWD/replica"
	same_file ours.db stock.db
done

median()
{
	sort -n "$1.times" | sed -n "$(((rounds + 1) / 2))p"
}

for name in restore copy stock; do
	[ -e "$name.times" ] || continue
	median $name | awk -v name=$name \
		'{printf "%-8s %6.2f s %6.0f MB of memory\n", name, $1, $2 / 1024}'
done
awk -v a="$(median copy)" -v b="$(median restore)" 'BEGIN {
	printf "restore has %.2f of the copy'"'"'s throughput (budget 0.90)\n", a / b
	exit a / b < 0.9 }'
