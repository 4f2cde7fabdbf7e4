#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate with a folder in the configuration file: databases that come
# up after its start are replicated, and those that vanish are let go.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3 python3

mkdir -p flat deep/old
cat >lsvfs.yml <<END
dbs:
- dir: $PWD/flat
  pattern: '*.db'
  replicas:
  - path: $PWD/backup/flat
- dir: $PWD/deep
  pattern: '*.db'
  recursive: true
  replicas:
  - path: $PWD/backup/deep
END

# is_let_go DB: it has nothing of it open.
is_let_go()
{
	[ -z "$(find "/proc/$replicate_pid/fd" -lname "*$1*" 2>/dev/null)" ]
}

# One that is found is switched to WAL mode, which locks it for a moment.
sql()
{
	sqlite3 -cmd '.timeout 60000' "$@"
}

make_db()
{
	sql "$1" 'CREATE TABLE t(x); INSERT INTO t VALUES(1)'
}

make_db deep/old/there.db
background "$LSVFS" replicate -config lsvfs.yml 2>replicate.log
replicate_pid=$background_pid
eventually 20 is_replicated deep/old/there.db

# By a program that ends at once, by one that stays, in both journal modes, by a
# copy, and by a move.
make_db flat/a.db
eventually 20 is_replicated flat/a.db
cat >stays.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
db.execute('PRAGMA journal_mode=' + sys.argv[2])
db.execute('CREATE TABLE t(x)')
db.execute('INSERT INTO t VALUES(1)')
sys.stdin.read()
END
mkfifo go
exec 8<>go
for mode in wal delete; do
	background python3 stays.py "flat/$mode.db" "$mode" <go
	eventually 20 is_replicated "flat/$mode.db"
done
cp deep/old/there.db flat/copy.db
make_db moved
mv moved flat/moved.db
for name in copy moved; do
	eventually 20 is_replicated "flat/$name.db"
done

# What only looks like one is left alone, and so is what the pattern leaves out.
echo 'no database' >flat/text.db
: >flat/empty.db
make_db flat/other.sqlite
mkdir flat/below
make_db flat/below/no.db

# Folders: new ones, with something in them already, and one that is moved here.
mkdir -p deep/new/er
make_db deep/new/er/c.db
mkdir elsewhere
make_db elsewhere/b.db
mv elsewhere deep/
eventually 20 is_replicated deep/new/er/c.db
eventually 20 is_replicated deep/elsewhere/b.db
sql deep/elsewhere/b.db 'INSERT INTO t VALUES(2)'
eventually 20 is_replicated deep/elsewhere/b.db
for name in old/there new/er/c elsewhere/b; do
	same_restored "deep/$name.db" "backup/deep/$name.db"
done
for name in a wal delete copy moved; do
	same_restored "flat/$name.db" "backup/flat/$name.db"
done

# Gone: let go; there again, as another: replicated, as another.
rm -r flat/a.db* flat/.a.db-litestream
eventually 20 is_let_go a.db
make_db flat/a.db
sql flat/a.db 'INSERT INTO t VALUES(7)'
eventually 20 is_replicated flat/a.db
same_restored flat/a.db backup/flat/a.db
mv deep/elsewhere .
eventually 20 is_let_go b.db
rm -r deep/new
make_db deep/late.db
eventually 20 is_replicated deep/late.db

for name in text empty below/no; do
	[ ! -e "backup/flat/$name.db" ] || fail "$name.db is replicated"
done
[ ! -e flat/.text.db-litestream ] || fail 'text.db was opened'
[ "$(sqlite3 elsewhere/b.db 'PRAGMA integrity_check')" = ok ] || fail 'b.db'
! grep '^error' replicate.log || fail 'see above'
kill -TERM "$replicate_pid"
wait "$replicate_pid" || fail "exit $?: $(cat replicate.log)"

# Nothing but folders, which must be there.
sed -i "s,$PWD/flat,$PWD/none," lsvfs.yml
expect_exit 1 "$LSVFS" replicate -config lsvfs.yml 2>err
grep -q "cannot watch $PWD/none: No such file" err || fail "$(cat err)"
