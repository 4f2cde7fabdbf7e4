#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The leader is stopped, and two other processes find that at the same time: one
# of them begins the next generation, however long that takes, and the other
# one follows it.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3 strace

# Commits once for each line that it reads.
cat >writer.py <<'END'
import sqlite3, sys
db = sqlite3.connect('a.db', timeout=60, isolation_level=None)
for line in sys.stdin:
    db.execute('insert into t(x) values(?)', (line.strip(),))
    print('did', line, end='', flush=True)
db.close()
END

preload sqlite3 a.db 'pragma journal_mode=wal; create table t(x);' >out
mkfifo to1 to2 to3
ours="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS"
# listen N COMMAND...: a writer, under COMMAND.
listen()
{
	local n=$1
	shift

	LSVFS_LOG=warn exec "$@" env LD_PRELOAD="$ours" python3 writer.py \
		<"to$n" >"out$n" 2>"err$n" 7>&- 8>&- 9>&-
}
# Whoever makes the next generation is slow to make it the current one.
slowly=(strace -f -e trace=rename -e signal=none
	-e inject=rename:delay_enter=2000000:when=1)
background listen 1
one=$background_pid
background listen 2 "${slowly[@]}" -o trace2
two=$background_pid
background listen 3 "${slowly[@]}" -o trace3
three=$background_pid
exec 7>to1 8>to2 9>to3

# tell WRITER LINE
tell()
{
	echo "$2" >&$(($1 + 6))
	eventually 60 grep -q "did $2" "out$1"
}

tell 1 first
eventually 60 is_restored a.db
tell 2 second
tell 3 third
eventually 60 is_restored a.db
objects_are a.db 1 1

kill -STOP "$one" # and is let go on by background()'s cleanup
tell 2 fourth
tell 3 fifth
eventually 60 is_restored a.db
kill -CONT "$one"
tell 1 sixth
eventually 60 is_restored a.db
[ "$(cat err2 err3 | grep -c "process $one, did not go on for 5 s")" = 1 ] ||
	fail "not said once: $(cat err2 err3)"
exec 7>&- 8>&- 9>&-
wait "$one" "$two" "$three"
restored a.db
[ "$(rows r.db)" = 6 ] || fail "$(rows r.db) rows"
objects_are a.db 2 2
