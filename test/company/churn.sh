#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that opens the database, commits and closes it without a pause,
# while its first snapshot is to be taken: beside a connection that stays open
# it is taken; where each close is the last one, 'lsvfs sync' takes it from
# outside.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

cat >churn.py <<'END'
import os, sqlite3, sys
name, stays = sys.argv[1:]
def connect():
    db = sqlite3.connect(name, timeout=60, isolation_level=None)
    db.execute('select count(*) from t').fetchone()
    return db
kept = connect() if stays == 'stays' else None
while not os.path.exists('enough'):
    db = sqlite3.connect(name, timeout=60, isolation_level=None)
    db.execute('insert into t values (1)')
    db.close()
END

is_replicated()
{
	"$LSVFS" status "$1" >status.txt 2>&1 || :
	grep -q '^position .* txid' status.txt
}

# churn DB stays|goes: until the file 'enough' is there.
churn()
{
	local db=$1

	rm -f enough
	sqlite3 "$db" 'pragma journal_mode = wal; create table t (x);
		insert into t with recursive n (i) as
		  (select 1 union all select i + 1 from n where i < 50000)
		  select randomblob(1000) from n' >churn.log
	background preload python3 churn.py "$db" "$2" 2>"$db.err"
}

# enough DB: it ends, and had nothing to say.
enough()
{
	touch enough
	wait "$background_pid" || fail "$(cat "$1.err")"
	[ ! -s "$1.err" ] || fail "$(cat "$1.err")"
}

churn a.db stays
eventually 120 is_replicated a.db
enough a.db
restored a.db

churn b.db goes
catch_up b.db
is_replicated b.db || fail "$(cat status.txt)"
enough b.db
catch_up b.db
restored b.db
