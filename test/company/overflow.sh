#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The replica is away and max-local-bytes is reached (I7): nothing fails, what
# is kept for it is dropped, the generation ends with one line that says why,
# and when the replica answers again a new one begins with a snapshot.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

LSVFS_OPTIONS+=' max-local-bytes=1MiB'

app_start sqlite3 -cmd '.timeout 60000' a.db
tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
commits 3
eventually 60 is_restored a.db
objects_are a.db 1 1

mv backup away
: >backup
commits 1
eventually 60 said 'cannot put to replica'
overflow='ends: its replica is behind by [0-9]* bytes, more than max-local-bytes'
# Until it is noticed, which is at a commit.
n=0
until said "$overflow"; do
	commits 100
	n=$((n + 1))
	[ "$n" -lt 100 ] || fail "3 MB times 10 are kept: $(cat app.err)"
	sleep 0.2
done
commits 400
size=$(du -sk .a.db-litestream | cut -f 1)
[ "$size" -le 2048 ] || fail "the local folder has $size kB"
says 1 "$overflow"
says 1 'cannot put to replica'
expect_exit 2 "$LSVFS" status a.db >told
grep -q '^error .*Not a directory' told || fail "status: $(cat told)"

# What is there is as it was when it was lost sight of.
mv away kept-replica
"$LSVFS_RESTORE" -o old.db kept-replica/a.db >out || fail "exit $?"
[ "$(rows old.db)" = 3 ] || fail "$(rows old.db) rows on the replica"

rm backup
mv kept-replica backup
eventually 100 is_restored a.db
objects_are a.db 2 2
says 1 'is reached again'
says 2 'generation .* begins'
commits 3
app_end
restored a.db
objects_are a.db 2 2
printf '%s rows, %s kB of folder while it was away\n' "$(rows r.db)" "$size"
