#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The leader dies while it puts the first snapshot of all: who committed beside
# it has watched for that, and goes on in its place without another commit.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3 strace
export LSVFS_OPTIONS="sync-interval=50ms $LSVFS_OPTIONS"

make_writer

# word OFFSET: a number of the page that both share.
cat >word.py <<'END'
import struct, sys
with open('.a.db-litestream/coord', 'rb') as coord:
    print(struct.unpack_from('<I', coord.read(), int(sys.argv[1]))[0])
END
word()
{
	python3 word.py "$1"
}

mkfifo to1 to2
ours="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS"
# listen N COMMAND...: a writer, under COMMAND.
listen()
{
	local n=$1
	shift

	exec "$@" env LD_PRELOAD="$ours" python3 writer.py \
		<"to$n" >"out$n" 2>"err$n" 8>&- 9>&-
}
sqlite3 a.db 'pragma journal_mode=wal; create table t(x);' >out
# An object of a directory gets its time before its name.
times='?utimensat,?utimensat_time64'
background listen 1 strace -f -o trace -e trace="$times" -e signal=none \
	-e inject="$times:delay_enter=600000000"
background listen 2
two=$background_pid
exec 8>to1 9>to2

# tell WRITER LINE
tell()
{
	echo "$2" >&$(($1 + 7))
	eventually 60 grep -q "did $2" "out$1"
}

is_putting()
{
	grep -q utimensat trace
}

is_captured()
{
	[ "$(word 80)" -gt "$before" ] # its frame
}

tell 1 'insert into t values(1)'
eventually 60 is_putting
before=$(word 80)
tell 2 'insert into t values(2)'
# One that would stop to watch once it sees its commit captured calls at most
# once more.
eventually 60 is_captured
called=$(word 128)
watches()
{
	[ "$(word 128)" -gt $((called + 2)) ]
}
eventually 60 watches
[ "$(objects a.db snapshots)" = 0 ] || fail 'a snapshot is there'
kill -KILL "$(word 20)"
eventually 60 is_restored a.db
exec 8>&- 9>&-
wait "$two" || fail "exit $?: $(cat err2)"
