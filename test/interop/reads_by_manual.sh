#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A stranger's reader, written by lsvfs-format(5) alone (read_replica.py),
# restores our replicas to the same bytes as SQLite's own recovery and as
# lsvfs-restore; so does a person with lz4 and sqlite3.  The tools of lz4 and
# zstd accept every object.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires python3 lz4 zstd sqlite3 tar gzip

reader=$top_srcdir/test/interop/read_replica.py
gen=generations/0123456789abcdef

history()
{
	cat <<-END
		PRAGMA page_size=$1; PRAGMA auto_vacuum=2
		PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b)
		INSERT INTO t(b) VALUES(zeroblob(3000))
		.snapshot
		INSERT INTO t(b) VALUES(randomblob(9000))
		INSERT INTO t(b) VALUES('two')
		.segment
		UPDATE t SET b = randomblob(700) WHERE a = 1
		.rotate
		CREATE TABLE u AS SELECT * FROM t
		.checkpoint
		DELETE FROM t WHERE a = 2
		.segment
		PRAGMA incremental_vacuum
		INSERT INTO u(b) VALUES('three')
		.snapshot
		INSERT INTO t(b) VALUES(randomblob(4000))
		.segment
		DROP TABLE u
		VACUUM
	END
}

# by_manual ARGUMENT...: out.db by the stranger's reader
by_manual()
{
	rm -f out.db
	python3 "$reader" replica replica out.db "$@" >out.txt ||
		fail "$(cat out.txt)"
}

# by_hand INDEX: the manual's example, from its snapshot to the end
by_hand()
{
	local index=$1 wal

	rm -f out.db*
	lz4 -dq "replica/$gen/snapshots/$index.snapshot.lz4" out.db
	while
		wal=(replica/"$gen"/wal/"$index"_*.wal.lz4)
		[ -e "${wal[0]}" ]
	do
		for segment in "${wal[@]}"; do
			lz4 -dc "$segment"
		done >out.db-wal
		sqlite3 out.db 'PRAGMA wal_checkpoint(TRUNCATE)' >hand.txt
		[ "$(cat hand.txt)" = '0|0|0' ] || fail "$(cat hand.txt)"
		index=$(printf %08x $((16#$index + 1)))
	done
}

for page_size in 512 4096 65536; do
	for codec in lz4 zstd; do
		rm -rf replica states live.db*
		history $page_size | "$top_builddir/test/lib/mkreplica" \
			-c $codec -s states live.db replica
		last=$(find states -name '*.db' | wc -l)
		[ "$last" -ge 10 ] || fail "only $last commits"
		first=$(find states -name '*.db' | sed 's/.*\///; s/\.db//' |
			sort -n | head -n1)
		step=7
		[ "$page_size$codec" != 512lz4 ] || step=1
		for txid in $(seq "$first" $step "$last"); do
			by_manual --txid "$txid"
			same_file out.db "states/$txid.db"
			by_manual --time "$(date -d "$(cat "states/$txid.time")" +%s%N)"
			same_file out.db "states/$txid.db"
		done
		by_manual
		rm -rf ours.db .ours.db-litestream
		"$LSVFS_RESTORE" -o ours.db replica >/dev/null
		same_file out.db ours.db
		if [ $codec = lz4 ]; then
			find replica -name '*.lz4' -print0 | xargs -0 lz4 -tqm
			for snapshot in "replica/$gen"/snapshots/*; do
				snapshot=${snapshot##*/}
				by_hand "${snapshot%%.*}"
				same_file out.db ours.db
			done
		else
			find replica -name '*.zst' -print0 | xargs -0 zstd -tq
		fi
	done
done

# The reader can say no, and where it does so does lsvfs-restore.
n_refused=0
for tar in "$top_srcdir"/test/golden/ours-*.tar.gz; do
	for txid in 4 8; do
		name="$(basename "$tar" .tar.gz) up to $txid"
		rm -rf replica expected.db out.db ours.db .ours.db-litestream
		tar -xzf "$tar"
		status=0
		python3 "$reader" replica replica out.db --txid $txid \
			>out.txt 2>err.txt || status=$?
		ours=0
		"$LSVFS_RESTORE" -o ours.db -txid $txid replica \
			>/dev/null 2>&1 || ours=$?
		case $status,$ours in
		0,0) same_file out.db ours.db ;;
		1,[134])
			grep -q '^read_replica.py: ' err.txt ||
				fail "$name: $(cat err.txt)"
			;;
		*) fail "$name: the reader $status, lsvfs-restore $ours" ;;
		esac
		n_refused=$((n_refused + status))
	done
done
[ "$n_refused" -ge 15 ] || fail "only $n_refused times something was refused"
