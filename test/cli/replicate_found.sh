#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate finds a database that is not fit to be replicated yet: one
# that somebody has locked, or has not copied to its end.  It waits, and says so
# only where that lasts.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3 python3

mkdir folder
cat >lsvfs.yml <<END
dbs:
- dir: $PWD/folder
  pattern: '*.db'
  replicas:
  - path: $PWD/backup
END

is_replicated()
{
	"$LSVFS" status -max-lag 0s "$1" >status.out 2>&1
}

# Has a database of its own locked, in rollback mode, until its input ends.
cat >locks.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('CREATE TABLE t(x)')
db.execute('BEGIN EXCLUSIVE')
db.execute('INSERT INTO t VALUES(1)')
print('locked', flush=True)
sys.stdin.read()
db.execute('COMMIT')
END

# lock NAME: the folder's NAME.db is; close the descriptor $lock, and it is not.
lock()
{
	mkfifo "hold.$1" "says.$1"
	python3 locks.py "folder/$1.db" <"hold.$1" >"says.$1" 2>"err.$1" &
	cleanup kill_quietly $!
	exec {lock}>"hold.$1"
	read -r -t 20 <"says.$1" || fail "$(cat "err.$1")"
}

# tried NAME: it was found, and is not replicated.
tried()
{
	[ -n "$(find "/proc/$replicate_pid/fd" -lname "*/$1.db" 2>/dev/null)" ]
}

lock before
before=$lock
background "$LSVFS" replicate -config lsvfs.yml 2>replicate.log {before}>&-
replicate_pid=$background_pid
eventually 20 tried before
lock later
eventually 20 tried later
exec {lock}>&-
eventually 20 is_replicated folder/later.db
! grep 'error:.*later.db' replicate.log || fail 'see above'

# The other one stays locked, and nobody may think that it is replicated.
status=0
"$LSVFS" replicate -config lsvfs.yml -exec true 2>err || status=$?
[ "$status" = 1 ] || fail "exit $status: $(cat err)"
grep -q '^error: .*before.db is not replicated' err || fail "$(cat err)"
eventually 60 grep -q 'error:.*before.db is locked' replicate.log
exec {before}>&-
eventually 20 is_replicated folder/before.db
grep -q 'before.db is not locked any more' replicate.log ||
	fail "$(cat replicate.log)"
[ "$(grep -c '^error' replicate.log)" = 1 ] || fail "$(cat replicate.log)"

# passed NAME: a new one is replicated, so all before it were looked at.
passed()
{
	sqlite3 -cmd '.timeout 60000' "folder/$1.db" \
		'CREATE TABLE t(x); INSERT INTO t VALUES(1)'
	eventually 20 is_replicated "folder/$1.db"
}

# In two parts, each a file that was written and closed: let alone until it is
# whole.
sqlite3 whole.db 'CREATE TABLE t(x); WITH RECURSIVE c(i) AS
	(SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200)
	INSERT INTO t SELECT randomblob(3000) FROM c'
head -c 300000 whole.db >folder/parts.db
passed first
same_file folder/parts.db <(head -c 300000 whole.db)
[ ! -e folder/.parts.db-litestream ] || fail 'a part is replicated'
! grep 'parts.db' replicate.log || fail 'see above'
status=0
"$LSVFS" replicate -config lsvfs.yml -exec true 2>err || status=$?
[ "$status" = 1 ] || fail "exit $status: $(cat err)"
grep -q 'parts.db is not replicated: it is not complete' err ||
	fail "$(cat err)"
tail -c +300001 whole.db >>folder/parts.db
eventually 20 is_replicated folder/parts.db
same_restored folder/parts.db backup/parts.db
same_content whole.db folder/parts.db

# One that is no good, whatever its size: that is said once.
{
	head -c 100 whole.db
	head -c "$(($(stat -c %s whole.db) - 100))" /dev/zero
} >bad
cp bad folder/bad.db
eventually 20 grep -q '^error: .*bad.db' replicate.log
passed second
passed third
[ "$(grep -c '^error: .*bad.db' replicate.log)" = 1 ] ||
	fail "$(grep -c 'bad.db' replicate.log) errors: $(tail -n 3 replicate.log)"
cat whole.db >folder/bad.db
eventually 20 is_replicated folder/bad.db

kill -TERM "$replicate_pid"
wait "$replicate_pid" || fail "exit $?: $(cat replicate.log)"
for name in before later; do
	same_restored "folder/$name.db" "backup/$name.db"
done
