#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An index that is whole does not wait for the sync-interval: putting it later
# would save no put.  The rest of a storm does.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

# An index is then of 1 MiB at most.
LSVFS_OPTIONS+=' sync-interval=1h max-local-bytes=4MiB'

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
commits 3
catch_up a.db

has_index()
{
	find "backup/a.db/generations" -name "0000000$1_*.wal.*" | grep -q .
}

commits 400
eventually 60 has_index 1
commits 450
eventually 60 has_index 4
restore a.db
# An index may just have become whole, but not two commits after each other.
if [ "$(rows r.db)" = 853 ]; then
	commits 1
	restore a.db
fi
[ "$(rows r.db)" -lt "$(rows a.db)" ] ||
	fail "all of it is there, within the hour"
find backup -name '0000000[1-9]_*.wal.*' -printf '%f\n' | cut -d _ -f 1 |
	sort >segments
[ -z "$(uniq -d segments)" ] ||
	fail "an index took more than one put: $(cat segments)"
app_end
restored a.db
objects_are a.db 1 1
printf '%s indexes in one put each\n' "$(wc -l <segments)"
