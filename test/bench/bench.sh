#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What we cost, beside the budgets of the design, in one table: ratios to bare
# SQLite in the same run, in the current folder's file system (or in BENCH_DIR).
# Says what was missed and how busy the machine was; it judges no further, so
# it ends with 0 when all could be measured.
#
#	test/bench/bench.sh [ROUNDS [MB]]      (in the build folder: make bench)
#
# ROUNDS pairs for each ratio; the restore is of MB of database and of WAL.

: "${BENCH_DIR:=$PWD}"
export TMPDIR=$BENCH_DIR
# What finds faults in tests costs time and memory.
unset MALLOC_PERTURB_
. "${top_srcdir:-$(dirname "$0")/../..}/test/lib/functions.sh"

rounds=${1:-7} mb=${2:-200}
bench=$top_builddir/test/bench

# row WHAT BARE OURS FIGURE OP BUDGET: FIGURE is what the budget is about.
row()
{
	awk -v what="$1" -v bare="$2" -v ours="$3" -v figure="$4" -v op="$5" \
		-v budget="$6" 'BEGIN {
		met = op == ">=" ? figure + 0 >= budget : figure + 0 <= budget
		printf "%-34s %10s %10s %8s  %2s %-5s %s\n", what, bare, ours,
			figure, op, budget, met ? "" : "MISSED" }'
}

# part NAME COMMAND...: in a folder of its own; what it prints is in 'out'.
part()
{
	local name=$1
	shift

	mkdir "$name"
	(cd "$name" && "$@") >out 2>err || fail "$name: $(cat err)"
	rm -rf "$name"
}

# commits SYNC COMMITS FIGURE=BUDGET...
commits()
{
	local sync=$1 n=$2 pair name bare ours ratio
	shift 2

	part commits "$bench/commits" -sync "$sync" -commits "$n" \
		-rounds "$rounds"
	for pair; do
		read -r name _ _ bare ours ratio \
			<<<"$(grep "^${pair%=*} " out)"
		row "commit, $sync, $name (us)" "$bare" "$ours" "$ratio" \
			'<=' "${pair#*=}"
	done
}

lag()
{
	local p50 p99 puts commits most

	part lag "$bench/lag" -quiet 40 -storm 0 -interval 200ms
	read -r _ p50 p99 _ <out
	row 'lag after a quiet spell, p50 (ms)' '' "$p50" "$p50" '<=' 10
	row 'lag after a quiet spell, p99 (ms)' '' "$p99" "$p99" '<=' 10
	part lag "$bench/lag" -quiet 0 -storm 10 -interval 1s
	read -r _ p50 p99 _ puts commits <out
	row 'lag in a storm, 1 s interval, p50' '' "$p50" "$p50" '<=' 1100
	row 'lag in a storm, 1 s interval, p99' '' "$p99" "$p99" '<=' 1100
	# One an interval, and each index of 64 MiB; a commit is two frames.
	most=$(awk "BEGIN { printf \"%.1f\", 1.2 + $commits * 8240 / 2^26 }")
	row 'puts a second, 1 s interval' '' "$puts" "$puts" '<=' "$most"
}

# storm BUDGET ARGUMENT...: the WAL's size, in MB; what failed.
storm()
{
	local budget=$1 seconds wal failed busy
	shift

	part storm "$bench/storm" "$@"
	read -r _ seconds _ wal _ failed _ busy _ <out
	row "WAL, 200k commits${2:+, $2 writers} (MB)" '' "$wal" "$wal" '<' "$budget"
	[ "$failed$busy" = 00 ] || row 'failed, BUSY' '' "$failed" "$busy" '<=' 0
	: "$seconds"
}

idle()
{
	local n=1000 wakes threads ours bare

	part idle "$bench/idle" unix $n 2
	read -r _ _ bare <out
	part idle "$bench/idle" litestream $n 5
	read -r wakes threads ours <out
	row "idle, $n databases: wakeups/s" 0 "$wakes" "$wakes" '<=' 0
	row "idle, $n databases: threads" 1 "$((threads - 1))" \
		"$((threads - 1))" '<=' 4
	row 'idle, memory each (KB, with a page)' "$bare" "$ours" \
		"$(awk "BEGIN { print $ours - $bare }")" '<=' 6
}

preload()
{
	local ms

	bash "$top_srcdir/test/bench/preload_cost.sh" 300 >out || true
	ms=$(sed -n 's/.*difference \([-0-9.]*\) ms.*/\1/p' out)
	row 'preload, no SQLite (ms)' '' "$ms" "$ms" '<' 1
}

restore()
{
	local line

	bash "$top_srcdir/test/bench/restore_speed.sh" "$mb" "$rounds" \
		>out || true
	line=$(sed -n 's/^restore has \([0-9.]*\) of.*/\1/p' out)
	row "restore of $mb MB and its WAL / copy" \
		"$(awk '/^copy/ { print $2 " s" }' out)" \
		"$(awk '/^restore .* s / { print $2 " s" }' out)" "$line" '>=' 0.9
	grep '^stock' out || true
}

cut -d' ' -f1-3 /proc/loadavg | sed 's/^/load average before: /'
printf '%-34s %10s %10s %8s  %s\n' '' bare lsvfs figure budget
commits normal 5000 p50=0.90 p99=1.9 p99.9=0.12 mean=0.85
commits full 1000 p50=1.02 mean=1.02
lag
storm 64
storm 128 -writers 16 -no-checkpoint
idle
preload
restore
cut -d' ' -f1-3 /proc/loadavg | sed 's/^/load average after: /'
