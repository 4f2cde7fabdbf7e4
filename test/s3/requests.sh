#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a replica costs by the request, counted by a proxy before the store:
# while databases are busy at most one PUT a sync-interval for each, and no
# LIST; nothing while they are idle (I13), nor for readers and status; a
# commit after that is one request, however large; a process's first takes two
# more: whose the replica is, and whether the store guards names.

. "${top_srcdir:-.}/test/lib/scribe.sh"

case $(uname -m) in
x86_64 | aarch64) ;;
*) skip 'what threads wait in is known of x86_64 and aarch64 only' ;;
esac
find_store minio
start_store
interval_ms=100
export LSVFS_OPTIONS="sync-interval=${interval_ms}ms shutdown-sync-timeout=60s"
start_faulty --log requests
export LSVFS_REPLICA_URL=s3://bkt.localhost:$faulty_port/%f

# asked METHOD PATTERN: how many requests there were so far.
asked()
{
	awk -v method="$1" -v pattern="$2" '
		$2 ~ "^(" method ")$" && $3 ~ pattern { n++ }
		END { print n + 0 }' requests
}

# sleeps PID: for a minute, whatever happens, if nobody calls it.
sleeps()
{
	local task line

	: >waits
	for task in "/proc/$1/task/"*; do
		# By the shell itself: it is the parent.
		read -r line 2>/dev/null <"$task/syscall" || line=running
		echo "$line" >>waits
	done
	exec 4<"/proc/$1/mem"
	python3 "$top_srcdir/test/s3/asleep.py" 60 <&4 3<waits
}

mkfifo stay.a stay.b
pids=()
for name in a b; do
	"$scribe" $name.db 7 5 >out || fail "cannot write: $(cat out)"
	"$LSVFS" sync $name.db >out 2>&1 || fail "cannot sync: $(cat out)"
done
lists=$(asked GET 'list-type=2')

# Busy, but with less than what makes another snapshot due; and then open.
stay()
{
	exec "$scribe" -pause 10000 -linger "$1.db" 7 150 \
		>"committed.$1" 2>"writer.$1" <"stay.$1"
}
for name in a b; do
	background stay $name
	pids+=("$background_pid")
done
exec 5>stay.a 6>stay.b
for name in a b; do
	eventually 120 grep -qx 150 committed.$name
	eventually 120 is_replicated $name.db
done
for name in a b; do
	# The first of all went up with the snapshot.
	awk -v path="/$name.db/generations/" -v interval="$interval_ms" '
		$2 == "PUT" && index($3, path) && $3 ~ "/wal/" {
			if (++n == 2) first = $1
			last = $1
		}
		END {
			n--
			allowed = int((last - first) * 1000 / interval) + 1
			printf "%d puts in %.1f s, %d may be\n", n, last - first,
				allowed
			exit n < 3 || n > allowed
		}' requests >counted.$name ||
		fail "$name.db: $(cat counted.$name): $(cat requests)"
	cat counted.$name
done
[ "$(asked GET 'list-type=2')" = "$lists" ] ||
	fail "it was listed: $(cat requests)"

# Idle, and looked at.
read -r line <"/proc/${pids[0]}/syscall" 2>/dev/null ||
	skip 'this system does not tell what a process waits in'
for pid in "${pids[@]}"; do
	eventually 60 sleeps "$pid"
done
all=$(asked '.*' .)
is_replicated a.db || fail "$(cat status.txt)"
preload sqlite3 a.db 'SELECT count(*) FROM log' >out
[ "$(cat out)" = 150 ] || fail "read: $(cat out)"
for pid in "${pids[@]}"; do
	eventually 60 sleeps "$pid"
done
[ "$(asked '.*' .)" = "$all" ] ||
	fail "idle, and asked: $(tail -n +$((all + 1)) requests)"

# It is counted still.
"$scribe" a.db 7 151 >out || fail "cannot write: $(cat out)"
eventually 60 is_replicated a.db
[ "$(asked '.*' .)" = $((all + 1)) ] ||
	fail "one commit: $(tail -n +$((all + 1)) requests)"
exec 5>&- 6>&-
for pid in "${pids[@]}"; do
	wait "$pid" || fail "exit $?: $(cat writer.?)"
done
[ "$(asked '.*' .)" = $((all + 1)) ] ||
	fail "at the end: $(tail -n +$((all + 2)) requests)"

# Another process goes on, and all that it commits is large.
sqlite3 c.db 'PRAGMA journal_mode=wal; CREATE TABLE t (x);
	INSERT INTO t VALUES (randomblob(4000000))' >out
"$LSVFS" sync c.db >out 2>&1 || fail "cannot sync: $(cat out)"
mkfifo told
preload sqlite3 c.db <told >out 2>&1 &
pid=$!
cleanup kill_quietly "$pid"
exec 7>told
all=$(asked '.*' .)

has_rows()
{
	[ "$(sqlite3 c.db 'SELECT count(*) FROM t')" = "$1" ]
}
for n in 2 3 4; do
	echo 'INSERT INTO t VALUES (randomblob(300000));' >&7
	eventually 60 has_rows "$n"
	eventually 60 is_replicated c.db
done
[ "$(asked '.*' .)" = $((all + 5)) ] ||
	fail "three large commits: $(tail -n +$((all + 1)) requests)"
exec 7>&-
wait "$pid" || fail "exit $?: $(cat out)"
