#!/bin/bash
# SPDX-License-Identifier: MIT
#
# I13: nobody is woken for nothing: when all is on the replica, no thread of a
# process that replicates gives up a processor that it never had; neither in
# the leader, nor in a process that only follows.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

# wakeups PID: how often its threads slept, in sum.
wakeups()
{
	cat "/proc/$1/task/"*/status |
		awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'
}

# is_idle PID...: nothing in a second.
is_idle()
{
	local pid before=()

	for pid; do
		before+=("$(wakeups "$pid")")
	done
	sleep 1
	for pid; do
		[ "${before[0]}" = "$(wakeups "$pid")" ] || return 1
		before=("${before[@]:1}")
	done
}

app_start sqlite3 a.db
tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
commits 5
leader=$app_pid
[ "$(cat "/proc/$leader/comm")" = sqlite3 ] || fail "$leader is no shell"

# Another process: it commits, and stays.
mkfifo to2
listen()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		exec sqlite3 -cmd '.timeout 60000' a.db <to2 >out2 2>&1 9>&-
}
background listen
follower=$background_pid
exec 8>to2
echo "insert into t(x) values(1); select 'did it';" >&8
eventually 60 grep -q 'did it' out2
commits 5
eventually 60 is_restored a.db

eventually 60 is_idle "$leader" "$follower"
threads=$(find "/proc/$leader/task" -mindepth 1 -maxdepth 1 | wc -l)
[ "$threads" -gt 1 ] || fail "the leader has no worker"
all="$(wakeups "$leader") $(wakeups "$follower")"
sleep 3
now="$(wakeups "$leader") $(wakeups "$follower")"
[ "$all" = "$now" ] || fail "in 3 s from $all to $now wakeups"
printf '%s threads, %s wakeups in 3 s of quiet\n' "$threads" 0

# And is there at once when it is wanted.
echo "insert into t(x) values(2); select 'did that';" >&8
eventually 60 grep -q 'did that' out2
eventually 60 is_restored a.db

# So is one that has closed it, and sees no more what becomes of its commit;
# nor does it take the place of a leader that has nothing to do.
echo "insert into t(x) values(3);" >&8
echo ".open b.db" >&8
echo "select 'did so';" >&8
eventually 60 grep -q 'did so' out2
eventually 60 is_idle "$leader" "$follower"
objects_are a.db 1 1
exec 8>&-
wait "$follower" || fail "exit $?: $(cat out2)"
app_end
restored a.db
objects_are a.db 1 1
