#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate beside programs that have us and programs that have not: one
# leads, the other takes over when it ends, in one generation, and every commit
# of all of them is on the replica.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 python3

export LSVFS_REPLICA_URL=$PWD/backup

# Runs statements from its standard input, one a line, and says 'ready' after each.
cat >program.py <<'END'
import sqlite3, sys
db = sqlite3.connect('app.db', timeout=60, isolation_level=None)
for line in sys.stdin:
    if line.startswith('many'):
        for i in range(int(line.split()[1])):
            db.execute("INSERT INTO t VALUES('many', zeroblob(900))")
    else:
        db.execute(line)
    print('ready', flush=True)
END

# program NAME COMMAND...: one in the background; it is told what to do by
# to.NAME and answers by from.NAME.
program()
{
	local name=$1
	shift

	mkfifo "to.$name" "from.$name"
	"$@" python3 program.py <"to.$name" >"from.$name" 2>"err.$name" &
	cleanup kill_quietly $!
}

# tell OUT IN STATEMENT: by the descriptors of its two pipes
tell()
{
	local answer=

	echo "$3" >&"$1"
	read -r -t 60 answer <&"$2" || :
	[ "$answer" = 'ready' ] || fail "'$3' was not done: $(cat err.*)"
}

start_replicate()
{
	# Else it would keep the programs' input open.
	background "$LSVFS" replicate app.db \
		2>>replicate.log 3>&- 4<&- 5>&- 6<&-
	replicate_pid=$background_pid
}

leader_is()
{
	"$LSVFS" status -json app.db >status.json || :
	grep -q "\"leader\":$1," status.json
}

has_other_leader()
{
	"$LSVFS" status -json app.db >status.json || :
	! grep -Eq "\"leader\":($1|0)," status.json
}

same_generation()
{
	local n

	n=$(find backup/generations -mindepth 1 -maxdepth 1 | wc -l)
	[ "$n" = 1 ] || fail "$1: $n generations: $(cat replicate.log)"
	"$LSVFS" sync -timeout 60s app.db || fail "$1: not synced"
	same_restored app.db backup
}

sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE t(a, b)' >/dev/null

# It leads when a program with us comes, and after that one went.
start_replicate
eventually 20 leader_is "$replicate_pid"
program plain env
exec 3>to.plain 4<from.plain
program ours preload
exec 5>to.ours 6<from.ours
tell 3 4 "INSERT INTO t VALUES('plain', 1)"
tell 5 6 "INSERT INTO t VALUES('ours', 1)"
tell 3 4 'many 1500'
tell 5 6 'many 1500'
same_generation 'it leads'

# It ends: the program with us takes over.
kill -TERM "$replicate_pid"
status=0
wait "$replicate_pid" || status=$?
[ "$status" = 0 ] || fail "exit $status: $(cat replicate.log)"
tell 5 6 "INSERT INTO t VALUES('ours', 2)"
eventually 20 has_other_leader "$replicate_pid"
tell 5 6 'many 1500'
same_generation 'the program leads'

# It comes back, follows, and takes over when the program with us ends.
start_replicate
tell 3 4 "INSERT INTO t VALUES('plain', 2)"
tell 5 6 "INSERT INTO t VALUES('ours', 3)"
exec 5>&-
eventually 20 leader_is "$replicate_pid"
tell 3 4 'many 1500'
tell 3 4 "INSERT INTO t VALUES('plain', 3)"
same_generation 'it leads again'
