#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The first process of a database stands still while it makes the first
# generation, alone: another one does not wait for it for ever.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3 strace

make_writer

sqlite3 a.db 'pragma journal_mode=wal; create table t(x);' >out
mkfifo to1
# shellcheck disable=SC2317 # by background
stands()
{
	exec strace -f -o trace -e trace=rename -e signal=none \
		-e inject=rename:delay_enter=600000000 \
		-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
		python3 writer.py <to1 >out1 2>err1 8>&- 9>&-
}
background stands
exec 8>to1
is_up()
{
	[ -s out1 ]
}
eventually 60 is_up
cleanup kill_quietly "$(head -n 1 out1)" # whoever traces it may end first
echo 'insert into t values(1)' >&8
eventually 60 grep -q did out1
eventually 60 grep -q generation trace

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'insert into t values(2);'
eventually 60 is_restored a.db
objects_are a.db 1 1
tell 'insert into t values(3);'
app_end
restored a.db
[ "$(rows r.db)" = 3 ] || fail "$(rows r.db) rows"
