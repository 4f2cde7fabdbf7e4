#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The WAL is empty, after a checkpoint that cut it off, when a database's first
# snapshot is taken: what is committed next goes on from there (I3).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

app_start sqlite3 a0.db
for ((n = 0; n < 10; n++)); do
	tell ".open a$n.db
pragma journal_mode=wal; create table t(x);
pragma wal_checkpoint(truncate);"
	eventually 60 is_restored "a$n.db"
	tell 'insert into t values(1); insert into t values(2);'
	eventually 60 is_restored "a$n.db"
	objects_are "a$n.db" 1 1
done
says 0 'generation .* ends'
app_end
