#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A power loss takes the end of an index that is not the last one, before it is
# on the replica: what follows is not put behind the gap, a new generation
# begins instead (I1, I3).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

LSVFS_OPTIONS+=' max-local-bytes=16MiB' # four indexes

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
commits 3
eventually 60 is_restored a.db

# Two more indexes while the replica is away.
mv backup away
: >backup
n=0
until [ "$(find .a.db-litestream -name '*.commits' | wc -l)" = 3 ]; do
	commits 100
	n=$((n + 1))
	[ "$n" -lt 50 ] || fail "no third index: $(cat app.err)"
done
exec 9>&-
kill_quietly "$app_pid"

# The last commit of the second one was not synced.
truncate -s -80 .a.db-litestream/generations/*/wal/00000001.commits
rm backup
mv away backup
catch_up a.db
grep -q 'generation .* ends: the replica ' sync.log ||
	fail "said: $(cat sync.log)"
restored a.db
objects_are a.db 2 2
"$LSVFS_RESTORE" -o old.db -generation "$(sed -n \
	's/.*generation \([0-9a-f]*\) ends.*/\1/p' sync.log)" "$PWD/backup/a.db" \
	2>old.log || fail "the old one: exit $?: $(cat old.log)"
