#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Three processes that write at once, one of them without us.  What it commits
# is captured like all else, or costs a new generation; the restored database
# is right at any time, and complete after `lsvfs sync`.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

cat >writer.py <<'END'
import os, random, sqlite3, sys, time
name = sys.argv[1]
db = sqlite3.connect('a.db', timeout=60, isolation_level=None)
if name == 'stranger':
    db.execute('pragma wal_autocheckpoint=20')
i = 0
while i < 100 or not os.path.exists('enough'):
    db.execute('begin immediate')
    db.execute('insert into t(who, n, x) values(?, ?, randomblob(300))',
               (name, i))
    db.execute('update total set n = n + 1')
    db.execute('commit')
    i += 1
    time.sleep(random.random() * 0.01)
db.close()
END
preload sqlite3 a.db 'pragma journal_mode=wal;
create table t(id integer primary key, who, n, x);
create table total(n); insert into total values(0)' >out 2>err ||
	fail "$(cat err)"

background preload python3 writer.py one
pids=$background_pid
background preload python3 writer.py two
pids+=" $background_pid"
background python3 writer.py stranger
pids+=" $background_pid"

# At any time: an exact earlier commit, or a refusal; never a wrong database.
one_commit()
{
	local query='select (select count(*) from t) - (select n from total),
(select count(*) from (select who, count(*) c, max(n) m from t group by who)
where c <> m + 1)'

	[ "$(sqlite3 "$1" 'pragma integrity_check' "$query")" = "ok
0|0" ] || fail "not one commit's: $(sqlite3 "$1" "$query")"
}
looks=0
begin=$SECONDS
while [ "$looks" -lt 8 ]; do
	[ $((SECONDS - begin)) -lt 100 ] ||
		fail "nothing could be restored while they wrote"
	for pid in $pids; do
		kill -0 "$pid" || fail "a writer is gone"
	done
	rm -rf r.db .r.db-litestream
	status=0
	"$LSVFS_RESTORE" -o r.db backup/a.db >restore.log 2>&1 || status=$?
	case $status in
	0) one_commit r.db && looks=$((looks + 1)) ;;
	[134]) [ ! -e r.db ] || fail "exit $status, and an output file" ;;
	*) fail "lsvfs-restore: exit $status: $(cat restore.log)" ;;
	esac
	sleep 0.1
done
touch enough
for pid in $pids; do
	wait "$pid" || fail "a writer failed: exit $?"
done
catch_up a.db
restored a.db
one_commit r.db
[ "$(rows r.db)" -ge 300 ] || fail "$(rows r.db) rows of three times 100"
printf '%s rows by 3 processes, %s restores meanwhile, %s generations\n' \
	"$(rows r.db)" "$looks" "$(objects a.db generations)"
