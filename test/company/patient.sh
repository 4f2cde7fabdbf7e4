#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A leader that had nothing to do for longer than one that stands still would
# be given is not robbed by a process that looks at it only every 6 s.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

LSVFS_OPTIONS+=' sync-interval=6s'

app_start sqlite3 a.db
tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
commits 1
catch_up a.db
# Longer than the 5 s; nothing else happens meanwhile.
sleep 6

# Commits, closes and lives on, for three looks.
LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
	sqlite3 -cmd '.timeout 60000' a.db >out2 2>err2 <<'END' ||
insert into t(x) values(2);
.open b.db
.shell sleep 14
END
	fail "exit $?: $(cat err2)"
[ ! -s err2 ] || fail "said $(cat err2)"
app_end
restored a.db
[ "$(rows r.db)" = 2 ] || fail "$(rows r.db) rows"
objects_are a.db 1 1
