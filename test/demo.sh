#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The main job, shown on real files in plain words; './bootstrap demo' builds
# first and comes here.  It works in a fresh folder below the build's.

set -eu -o pipefail

: "${LSVFS_BUILD:?run ./bootstrap demo}"
library=$LSVFS_BUILD/.libs/liblsvfs.so
restore=$LSVFS_BUILD/lsvfs-restore
lsvfs=$LSVFS_BUILD/lsvfs

rm -rf "$LSVFS_BUILD/demo"
mkdir "$LSVFS_BUILD/demo"
cd "$LSVFS_BUILD/demo"

say()
{
	printf '%s\n' "$@"
}

step()
{
	printf '\n%s. %s\n\n' "$1" "$2"
}

fail()
{
	say '' "That went wrong: $*" "All files are still in $PWD" >&2
	exit 1
}

# show WORDS: the command line as a person would type it.
show()
{
	printf '    $ %s\n' "$@"
}

# shell SQL: the sqlite3 shell with us preloaded; it does not know.
shell()
{
	LSVFS_REPLICA_URL=$PWD/backup LD_PRELOAD=$library \
		sqlite3 shop.db "$1" | sed 's/^/    /'
}

ask()
{
	sqlite3 "$1" "$2"
}

same()
{
	cmp "$1" "$2" || fail "$1 and $2 differ"
	[ "$(ask "$1" .sha3sum)" = "$(ask "$2" .sha3sum)" ] ||
		fail "$1 and $2 hold other rows"
}

now()
{
	date -u +%FT%T.%NZ
}

say 'lsvfs keeps a copy of an SQLite database somewhere else while programs' \
	'use it, and brings the database back when it is lost.  Watch:'

step 1 'A shop takes 10 000 orders.  Its program is the sqlite3 shell, which
   knows nothing of lsvfs; the library is only loaded into it.'
# shellcheck disable=SC2016 # shown, not expanded
show 'export LSVFS_REPLICA_URL=$PWD/backup' \
	'LD_PRELOAD=liblsvfs.so sqlite3 shop.db "create table orders ..."'
shell "pragma journal_mode=wal;
	create table orders(id integer primary key, item text, price real);
	with recursive n(i) as (select 1 union all select i + 1 from n
		where i < 10000)
	insert into orders select i, 'item ' || i % 97, i * 0.01 from n;" \
	>/dev/null
shell "select printf('%d orders are in shop.db', count(*)) from orders;"
# One more transaction, as a shop that is open has them all the time.
shell "insert into orders values(10001, 'the last order', 99.90);"
sleep 0.01
before=$(now)
sleep 0.01
cp shop.db what-it-was.db
[ ! -e shop.db-wal ] || fail 'the shell left a WAL behind'

step 2 'At the same time a copy grew in the folder "backup" (on another disk,
   in real life; a bucket some day):'
show 'find backup -type f'
find backup -type f | sort | sed 's/^/    /'
show 'lsvfs status shop.db'
"$lsvfs" status shop.db | sed 's/^/    /' || fail 'lsvfs status failed'

step 3 'The machine dies: the database is gone, with all files beside it.'
show 'rm -r shop.db .shop.db-litestream'
rm -rf shop.db shop.db-wal shop.db-shm .shop.db-litestream
[ ! -e shop.db ] || fail 'shop.db is still there'

step 4 'Bring it back from the copy.'
show 'lsvfs-restore -o shop.db backup'
"$restore" -o shop.db "$PWD/backup" 2>&1 | sed 's/^/    /' ||
	fail 'lsvfs-restore failed'
same shop.db what-it-was.db
say '' "    $(ask shop.db "select printf('%d orders, the last one: %s',
	count(*), max(iif(id = 10001, item, ''))) from orders")" \
	"    byte for byte what it was: $(stat -c %s shop.db) bytes compared"

step 5 'And when nothing is lost, but somebody makes a mistake?'
show 'LD_PRELOAD=liblsvfs.so sqlite3 shop.db "delete from orders"'
shell 'delete from orders;'
shell "select printf('%d orders are in shop.db', count(*)) from orders;"
say '' '   Restore the moment before, beside it:' ''
show "lsvfs-restore -timestamp $before -o before.db backup"
"$restore" -timestamp "$before" -o before.db "$PWD/backup" 2>&1 |
	sed 's/^/    /' || fail 'lsvfs-restore failed'
same before.db what-it-was.db
say '' "    $(ask before.db \
	"select printf('%d orders are in before.db', count(*)) from orders")" \
	'    byte for byte what it was then'

say '' 'Proven: the database came back identical, after a loss and to a moment' \
	"before a mistake.  All files are in" "$PWD" ''
