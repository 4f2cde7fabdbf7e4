#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a replica in a store on this machine costs, and gives back:
#
#	commits   beside bare SQLite, in pairs: the store healthy, slow (500 ms a
#	          request), down
#	lag       on VersityGW, which keeps objects as files
#	requests  of an hour of quiet, as far as a minute tells; of a storm
#	restore   of MB of database and as much WAL from MinIO, beside stock
#	          Litestream and curl of the same objects
#
#	test/bench/s3.sh [ROUNDS [MB]]      (in the build folder)

: "${BENCH_DIR:=$PWD}"
export TMPDIR=$BENCH_DIR
. "${top_srcdir:-$(dirname "$0")/../..}/test/lib/faulty.sh"

rounds=${1:-7} mb=${2:-500}
bench=$top_builddir/test/bench
requires_file "$bench/commits" "$bench/lag" "$top_builddir/test/lib/mkreplica"
requires curl /usr/bin/time

# commits NAME: p50, p99 and mean, bare, ours and the ratio.
commits()
{
	mkdir "commits-$1"
	(cd "commits-$1" && "$bench/commits" -commits 5000 -rounds "$rounds" \
		-replica "s3://bkt.localhost:$faulty_port/$1/%f") \
		>out 2>"commits-$1.log" || fail "$(cat "commits-$1.log")"
	awk -v store="$1" '{
		printf "commit, store %-8s %-6s %8.1f us bare %8.1f ours  %.2f\n",
			store, $1, $4, $5, $6 }' out
	rm -rf "commits-$1"
}

cut -d' ' -f1-3 /proc/loadavg | sed 's/^/load average before: /'
find_store minio
start_store
start_faulty --stall 0.5 --log requests
commits healthy
rules 'slow * *'
commits slow
rules 'refuse * *'
commits down
rules

# A storm of 10 s with the default interval, and then a minute of nothing.
export LSVFS_REPLICA_URL=s3://bkt.localhost:$faulty_port/storm/%f
cat >storm.py <<'END'
import sqlite3, sys, time
db = sqlite3.connect('storm.db', isolation_level=None)
db.execute('pragma journal_mode=wal')
db.execute('create table t (x)')
until = time.monotonic() + 10
n = 0
while time.monotonic() < until:
    db.execute('insert into t values (randomblob(100))')
    n += 1
print(n, flush=True)
sys.stdin.read()
END
storm()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		exec python3 storm.py <go >commits.n
}
mkfifo go
background storm
exec 5>go
eventually 120 test -s commits.n
"$LSVFS" sync storm.db >out 2>&1 || fail "cannot sync: $(cat out)"
printf 'storm of 10 s, interval 1 s: %s commits, %s puts\n' \
	"$(cat commits.n)" "$(grep -c ' PUT .*/storm/.*/wal/' requests)"
sleep 10 # the storm may have left a snapshot to take
idle_from=$(wc -l <requests)
sleep 60
printf 'idle for 60 s: %s requests\n' $(($(wc -l <requests) - idle_from))
exec 5>&-
wait "$background_pid"
unset LSVFS_REPLICA_URL
stop_faulty

# 500 rows of 2000 bytes, half of them noise, are about a megabyte.
export LSVFS_REPLICA_URL=s3://bkt.localhost:$store_port/%f
sqlite3 large.db "PRAGMA journal_mode=wal; PRAGMA synchronous=OFF;
	CREATE TABLE t (a INTEGER PRIMARY KEY, b);
	INSERT INTO t (b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL
		SELECT i + 1 FROM n WHERE i < $((mb * 500)))
		SELECT randomblob(900) || zeroblob(1050) FROM n" >out
"$LSVFS" sync large.db >out 2>&1 || fail "cannot sync: $(cat out)"
for ((i = 0; i < 20; i++)); do
	preload sqlite3 large.db "PRAGMA synchronous=OFF; UPDATE t
		SET b = randomblob(900) || zeroblob(1050) WHERE a % 100 = $i" \
		>out 2>&1 || fail "cannot write: $(cat out)"
done
"$LSVFS" sync large.db >out 2>&1 || fail "cannot sync: $(cat out)"
unset LSVFS_REPLICA_URL
# MinIO keeps an object as a folder.
urls=()
while read -r object; do
	urls+=(-o /dev/null "$store_endpoint/bkt/${object#store/bkt/}")
done < <(find store/bkt/large.db/generations -name xl.meta -printf '%h\n' | sort)
stock=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || stock=

# timed NAME COMMAND...: seconds and megabytes of memory.
timed()
{
	local name=$1
	shift

	sync
	/usr/bin/time -o times -f '%e %M' "$@" >"$name.log" 2>&1 ||
		fail "$name: $(cat "$name.log")"
	awk -v name="$name" '{ printf "%-16s %6.2f s %5.0f MB of memory\n",
		name, $1, $2 / 1024 }' times
}

printf 'restore of %s MB, %s objects\n' \
	"$(($(stat -c %s large.db) / 1000000))" $((${#urls[@]} / 2))
for ((i = 0; i < 2; i++)); do
	forget restored.db
	timed restore "$LSVFS_RESTORE" -o restored.db \
		"s3://bkt.localhost:$store_port/large.db"
	timed curl curl -sf --aws-sigv4 aws:amz:us-east-1:s3 \
		--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "${urls[@]}"
	rm -f copy.db
	timed copy dd if=restored.db of=copy.db bs=1M conv=fdatasync
	[ -n "$stock" ] || continue
	forget stock.db
	timed stock "$stock" restore -o stock.db \
		"s3://bkt.localhost:$store_port/large.db"
	same_file restored.db stock.db
done
stop_store

# Where objects can be seen to appear.
mkdir versitygw
cd versitygw
find_store versitygw
store_port=
start_store
# lag NAME OPTION...
lag()
{
	local name=$1
	shift

	"$bench/lag" "$@" -replica "s3://bkt.localhost:$store_port/$name/%f" \
		"$PWD/store/bkt/$name/lag.db" >out 2>lag.log ||
		fail "lag: $(cat out lag.log)"
	rm -rf lag.db* .lag.db*
}
lag quiet -quiet 40 -storm 0 -interval 200ms
awk '{ printf "lag after a quiet spell: p50 %s ms, p99 %s ms\n", $2, $3 }' out
lag storm -quiet 0 -storm 10 -interval 1s
awk '{ printf "lag in a storm, interval 1 s: p50 %s ms, p99 %s ms, %s puts a second\n",
	$2, $3, $5 }' out
cut -d' ' -f1-3 /proc/loadavg | sed 's/^/load average after: /'
