#!/bin/bash
# SPDX-License-Identifier: MIT
#
# I13: a database that left WAL mode before its first snapshot is not looked at
# while it stays so, open or closed; when WAL mode is back it is replicated.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

# Nobody takes a snapshot while another has the lock CKPT.
cat >ckpt.py <<'END2'
import fcntl, sys
shm = open(sys.argv[1] + '-shm', 'r+b')
fcntl.lockf(shm, fcntl.LOCK_EX, 1, 121)
print('has it', flush=True)
sys.stdin.read()
END2
holds()
{
	exec python3 ckpt.py "$db" <to >has 2>&1 9>&-
}

wakeups()
{
	cat "/proc/$app_pid/task/"*/status |
		awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'
}

# is_idle: nobody is woken in 2 s.
is_idle()
{
	local before

	before=$(wakeups)
	sleep 2
	[ "$(wakeups)" = "$before" ]
}

# leaves DB: a program that stays, and has left WAL mode.
leaves()
{
	db=$1
	app_start sqlite3 -cmd '.timeout 60000' "$db"
	tell 'pragma journal_mode=wal; select count(*) from sqlite_master;'
	background holds
	exec 8>to
	eventually 60 grep -q 'has it' has
	tell 'create table t(x); insert into t values(1);'
	eventually 60 test -e ".$db-litestream/state"
	tell 'pragma journal_mode=delete;'
	exec 8>&-
	wait "${background_pid:?}" || fail "exit $?: $(cat has)"
	eventually 60 is_idle
}

# While it leaves it has the file for itself, so CKPT is not asked for: there
# may be a snapshot in that moment.
mkfifo to
for n in 1 2 3 4 5 6 7 8 9; do
	leaves $n.db
	[ -e "backup/$db" ] || break
	app_end
	rm has
done
[ ! -e "backup/$db" ] || fail 'each has a snapshot'

tell 'insert into t values(2);'
eventually 60 is_idle
printf '.open other.db\n' >&9
tell "select 'away';"
eventually 60 is_idle
printf '.open %s\n' "$db" >&9
tell 'insert into t values(3);'
eventually 60 is_idle
[ ! -e "backup/$db" ] || fail "replicated: $(find "backup/$db")"

tell 'pragma journal_mode=wal; select count(*) from t;'
eventually 60 is_restored "$db"
[ "$(rows r.db)" = 3 ] || fail "$(rows r.db) rows"
tell 'insert into t values(4);'
catch_up "$db"
app_end
restored "$db"
objects_are "$db" 1 1
