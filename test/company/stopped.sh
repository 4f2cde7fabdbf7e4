#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The leader is stopped: it keeps its lock and cannot be robbed of it, but
# commits wait.  After 5 s another process ends its generation and begins one;
# when the first goes on it finds that out and lets go.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

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
mkfifo to1 to2
listen()
{
	LSVFS_LOG=warn \
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		exec python3 writer.py <"to$1" >"out$1" 2>"err$1" 8>&- 9>&-
}
background listen 1
one=$background_pid
background listen 2
two=$background_pid
exec 8>to1 9>to2

# tell WRITER DESCRIPTOR LINE
tell()
{
	echo "$3" >&"$2"
	eventually 60 grep -q "did $3" "out$1"
}

leader()
{
	"$LSVFS" status -json a.db | sed -n 's/.*"leader":\([0-9]*\).*/\1/p'
}

tell 1 8 first
eventually 60 is_restored a.db
tell 2 9 second
eventually 60 is_restored a.db
objects_are a.db 1 1
first=$(leader)
[ "$(cat "/proc/$first/comm")" = python3 ] || fail "the leader is $first"

kill -STOP "$first" # and is let go on by background()'s cleanup
tell 2 9 third
eventually 60 is_restored a.db
objects_are a.db 2 2
grep -q "its leader, process $first, did not go on for 5 s" err2 ||
	fail "the reason is not said: $(cat err2)"
[ "$(wc -l <err2)" = 1 ] || fail "said more than once: $(cat err2)"
[ "$(leader)" != "$first" ] || fail "the one that is stopped still leads"

# It goes on, and does no harm.
kill -CONT "$first"
tell 1 8 fourth
tell 2 9 fifth
tell 1 8 sixth
eventually 60 is_restored a.db
exec 9>&-
wait "$two" || fail "the second writer: exit $?"
tell 1 8 seventh
eventually 60 is_restored a.db
exec 8>&-
wait "$one" || fail "the first writer: exit $?"
restored a.db
[ "$(rows r.db)" = 7 ] || fail "$(rows r.db) rows"
objects_are a.db 2 2
[ "$(wc -l <err2)" = 1 ] || fail "said since: $(cat err2)"
[ ! -s err1 ] || fail "the first one said '$(cat err1)'"
