#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One process leads more databases than the kernel lets a thread wait for: each
# of them is heard when another process commits to it, and none wakes it while
# nobody does (I13).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

# Of nine descriptors each, as many as there may be.
most=$(ulimit -Hn)
[ "$most" != unlimited ] || most=20000
ulimit -n "$most"
n=$(((most - 100) / 9))
[ "$n" -le 300 ] || n=300

cat >crowd.py <<'END'
import sqlite3, sys
crowd = []
for i in range(int(sys.argv[1])):
    crowd.append(sqlite3.connect(f'a{i}.db', timeout=60, isolation_level=None))
    crowd[i].execute('pragma journal_mode=wal').fetchall()
    crowd[i].execute('create table if not exists t(x)')
for line in sys.stdin:
    crowd[int(line)].execute('insert into t values(1)')
    print('did', line, end='', flush=True)
END

app_start python3 crowd.py $n
leader=$app_pid
is_all_there()
{
	[ "$(find backup -name '*.snapshot.lz4' 2>/dev/null | wc -l)" = $n ]
}
for ((i = 0; i < n; i++)); do
	echo $i >&9
done
eventually 300 is_all_there

mkfifo to2
: >out2
other()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		LSVFS_LOG=warn exec python3 crowd.py $n <to2 >out2 2>err2 9>&-
}
background other
exec 8>to2
for i in 0 1 127 128 129 200 $((n - 2)) $((n - 1)); do
	[ "$i" -lt "$n" ] || continue
	echo $i >&8
	eventually 60 grep -qx "did $i" out2
	eventually 60 is_restored a$i.db
	objects_are a$i.db 1 1
done

# wakeups: how often its threads slept, in sum.
wakeups()
{
	cat "/proc/$leader/task/"*/status |
		awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'
}
is_idle()
{
	local before

	before=$(wakeups)
	sleep 1
	[ "$(wakeups)" = "$before" ]
}
eventually 60 is_idle
# The program's own, the worker, the listener, two for uploads.
n_threads=$(find "/proc/$leader/task" -mindepth 1 -maxdepth 1 | wc -l)
[ "$n_threads" -le 5 ] || fail "$n_threads threads"
exec 8>&-
wait "${background_pid:?}" || fail "exit $?: $(cat err2)"
[ ! -s err2 ] || fail "said: $(cat err2)"
app_end
for i in 0 $((n / 2)) $((n - 1)); do
	restored a$i.db
done
