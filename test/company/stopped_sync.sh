#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The leader is stopped.  lsvfs sync beside it finds that all that was committed
# is on the replica already, and says so at once; what was committed since it
# ships itself, in a generation of its own.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(x);'
tell 'insert into t values(1);'
catch_up a.db # while the leader answers

kill -STOP "$app_pid" # and is let go on by background()'s cleanup
# It did not go on for 5 s before another one takes that for reason enough.
expect_exit 0 "$LSVFS" sync -timeout 4s a.db 2>sync.log
[ ! -s sync.log ] || fail "said '$(cat sync.log)'"
objects_are a.db 1 1
restored a.db

# Of this one the page says nothing.
sqlite3 a.db 'insert into t values(2)'
expect_exit 1 "$LSVFS" sync -timeout 1s a.db 2>sync.log
objects_are a.db 1 1
catch_up a.db
objects_are a.db 2 2
restored a.db
[ "$(rows r.db)" = 2 ] || fail "$(rows r.db) rows"

kill -CONT "$app_pid"
tell 'insert into t values(3);'
catch_up a.db
app_end
restored a.db
[ "$(rows r.db)" = 3 ] || fail "$(rows r.db) rows"
