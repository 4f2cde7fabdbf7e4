#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that commits once and ends at once: when it has gone, its commit is
# on the replica, and on record as being there.  Several databases at a time,
# so that it is not always the same thread that is first; of some of them there
# is a reader without us, so that no close here is the last one.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 strace python3

# hold NAME: opens it, without us, and stays.
hold()
{
	mkfifo "$1.in"
	# shellcheck disable=SC2317 # by background
	reader()
	{
		exec sqlite3 "$1.db" <&8 >"$1.read"
	}
	exec 8<>"$1.in"
	background reader "$1"
	echo 'select count(*) from t;' >&8
	eventually 60 grep -qx '[0-9]*' "$1.read"
}

# one NAME: a life of many starts; what is wrong goes to NAME.wrong.
one()
{
	local db=$1.db n

	for ((n = 1; n <= 25; n++)); do
		preload sqlite3 "$db" 'insert into t values(1)' \
			>"$1.out" 2>&1 || echo "insert $n: $(cat "$1.out")"
		"$LSVFS" status "$db" >"$1.out" 2>&1 || :
		grep -q '^state  *replicated$' "$1.out" ||
			echo "status after $n: $(cat "$1.out")"
	done >>"$1.wrong"
}

for name in a b c d e; do
	: >"$name.wrong"
	preload sqlite3 "$name.db" \
		'pragma journal_mode=wal; create table t(x)' >out 2>&1
done
hold d
hold e
for name in a b c d e; do
	one "$name" &
	lives+=($!)
done
wait "${lives[@]}"
for name in a b c d e; do
	[ ! -s "$name.wrong" ] || fail "$(cat "$name.wrong")"
	restored "$name.db"
done

# One that dies after its first snapshot, before the generation's lineage is
# there: the next one puts that.
links='?link,?linkat'
strace -f -o trace -e trace="$links" -e inject="$links:signal=KILL:when=2" \
	-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
	sqlite3 f.db 'pragma journal_mode=wal; create table t(x)' \
	>f.out 2>&1 || :
[ "$(find backup/f.db -name '*.snapshot.lz4' | wc -l)" = 1 ] ||
	fail "no snapshot: $(cat f.out)"
[ -z "$(find backup/f.db -name lineage.json)" ] || fail 'it was not killed'
preload sqlite3 f.db 'insert into t values(1)'
[ -n "$(find backup/f.db -name lineage.json)" ] || fail 'no lineage.json'
restored f.db
# What lives on after its last close leads, and lets go when it is called; who
# called may have gone by then.
cat >closes.py <<'END'
import sqlite3, sys
for line in sys.stdin:
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    for row in db.execute(line):
        print(row[0], flush=True)
    db.close()
END
app_start python3 closes.py e.db
for _ in 1 2 3 4 5; do
	tell 'insert into t values(2);'
	eventually 60 is_restored e.db
	preload sqlite3 -cmd '.timeout 60000' e.db \
		'insert into t values(3)' >out 2>&1
	eventually 60 is_restored e.db
done
app_end
says 0 generation

# The one that leads has been called, by one that saw it lead and has gone: it
# does not end before that is shipped, although it has the database closed.
LSVFS_OPTIONS="sync-interval=600s $LSVFS_OPTIONS" \
	app_start python3 closes.py e.db
tell 'insert into t values(4);'
eventually 60 is_restored e.db
kill -STOP "$app_pid"
preload sqlite3 -cmd '.timeout 60000' e.db \
	'insert into t values(5)' >out 2>&1
! is_restored e.db || fail 'who is stopped shipped it'
exec 9>&-
kill -CONT "$app_pid"
wait "$app_pid" || fail "exit $?: $(cat app.err)"
restored e.db
says 0 generation

# Nobody leads, but the process that did last has a namesake: an exit that comes
# before the worker has begun is not taken in by that.
background sleep 600
cat >name.py <<'END'
import struct, sys
with open('.e.db-litestream/coord', 'r+b') as coord:
    coord.seek(20)
    coord.write(struct.pack('<I', int(sys.argv[1])))
END
python3 name.py "$background_pid"
"$LSVFS" status -json e.db >status.json || :
grep -q "\"leader\":$background_pid" status.json ||
	fail "no leader $background_pid: $(cat status.json)"
strace -f -o trace -e trace=set_robust_list \
	-e inject=set_robust_list:delay_enter=500000 \
	-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
	sqlite3 e.db 'insert into t values(6)' >out 2>&1
restored e.db

# A database that is removed before its program ends is waited for by nobody.
cat >gone.py <<'END'
import os, sqlite3
db = sqlite3.connect('g.db')
db.execute('pragma journal_mode=wal')
db.execute('create table t(x)')
db.close()
os.unlink('g.db')
END
for _ in 1 2 3; do
	preload python3 gone.py 2>err || fail "exit $?: $(cat err)"
	! grep 'exits before' err || fail 'it waited'
done
