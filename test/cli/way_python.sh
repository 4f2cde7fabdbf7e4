#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Python, preloaded: the distribution's and the one that is first on PATH
# (pyenv's, where there is one).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires python3 sqlite3

cat >way.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
assert db.execute('pragma journal_mode=wal').fetchone() == ('wal',)
db.executescript(sys.argv[2])
with db:
    db.execute("insert into t (x) values ('with')")
with db:
    db.execute("delete from t where x = 'with'")
print(db.execute('select count(*) from t').fetchone()[0])
db.close()
END

# What 'python3' means, behind a shim of pyenv's.
on_path=$(python3 -c 'import sys; print(sys.executable)')
n=0
for python in /usr/bin/python3 "$on_path"; do
	[ -x "$python" ] || continue
	"$python" -c 'import sqlite3' 2>/dev/null || continue
	n=$((n + 1))
	round_trip "python$n.db" preload "$python" way.py "python$n.db" \
		"$way_sql"
done
[ "$n" -gt 0 ] || skip "no python3 here has the module sqlite3"
