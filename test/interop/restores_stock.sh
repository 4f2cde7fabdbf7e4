#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Stock Litestream 0.3.13 replicates a live database; lsvfs-restore makes of
# its replica what its own restore makes, the latest and for a moment after
# each object.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3
litestream=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?

cat >litestream.yml <<END
dbs:
- path: $PWD/live.db
  min-checkpoint-page-count: 200
  replicas:
  - path: $PWD/replica
    sync-interval: 100ms
END

segments()
{
	find . -path './replica/*.wal.lz4' | wc -l
}

has_more_than()
{
	[ "$(segments)" -gt "$1" ]
}

# write SQL: and wait until Litestream has put it.
write()
{
	local before

	before=$(segments)
	sqlite3 -cmd '.timeout 60000' live.db "$1" >/dev/null
	eventually 60 has_more_than "$before"
}

sqlite3 live.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b)' \
	>/dev/null
background "$litestream" replicate -config litestream.yml >litestream.log 2>&1
eventually 60 has_more_than 0
for i in 1 2 3 4 5 6; do
	write "INSERT INTO t(b) SELECT randomblob(1000 + $i) FROM
		(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
		WHERE i < 70 * $i) SELECT i FROM n)"
	write "UPDATE t SET b = 'x' WHERE a % 5 = $i % 5"
done
write 'DROP TABLE t'
write 'CREATE TABLE u AS SELECT 1'
kill_quietly "$background_pid" TERM

# both OPTION...: by stock and by us, to the same bytes
both()
{
	rm -rf ours.db .ours.db-litestream stock.db
	"$litestream" restore -o stock.db "$@" "file://$PWD/replica" \
		>stock.log 2>&1 || fail "stock: $(cat stock.log)"
	"$LSVFS_RESTORE" -o ours.db "$@" replica >ours.log
	same_file ours.db stock.db
}

both
n=0
last=$(find replica -name '*.lz4' -printf '%T@\n' | sort -n | tail -n 1)
while read -r time; do
	# Stock knows seconds in -timestamp, and nothing behind its last object.
	[ "$((time + 1))" -gt "${last%.*}" ] && continue
	both -timestamp "$(date -u -d "@$((time + 1))" +%FT%TZ)"
	n=$((n + 1))
done < <(find replica -name '*.lz4' -printf '%T@\n' | cut -d. -f1 | sort -nu)
[ "$n" -ge 2 ] || fail "only $n moments"
generation=$(basename replica/generations/*)
highest=$(find replica -name '*.wal.lz4' -printf '%f\n' | sort | tail -n 1)
for ((i = 0; i <= 16#${highest%%_*}; i++)); do
	both -generation "$generation" -index "$(printf '%08x' $i)"
done
