#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs replicate: what a program without us commits is on the replica, in one
# generation, whatever SQLite does with the WAL; it ends as it is told to, and
# its exit status says whether everything is there.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/outsider.sh"

cat >child.sh <<'END'
#!/bin/bash
# child.sh DB SQL [STATUS]: the program of -exec.
sqlite3 "$1" "$2" || exit 99
exit "${3-0}"
END
chmod +x child.sh

generations()
{
	find "$1/generations" -mindepth 1 -maxdepth 1 | wc -l
}

# A database that is not there yet, then not in WAL mode, then is.
start app.db backup
grep -q 'waits for the database' replicate.log
sqlite3 app.db 'CREATE TABLE t(a, b)'
eventually 20 is_replicated app.db
[ "$(sqlite3 app.db 'PRAGMA journal_mode')" = wal ] || fail 'not in WAL mode'

# More than the WAL has when it is reset, by several programs, which checkpoint
# as they like.
python3 writer.py app.db 3000 &
first=$!
python3 writer.py app.db 3000 &
second=$!
wait "$first" "$second"
eventually 60 is_replicated app.db
same_restored app.db backup
[ "$(generations backup)" = 1 ] || fail "$(cat replicate.log)"

# A program that has it open keeps it from being the last when it ends; it goes
# on where it was.
sqlite3 app.db 'INSERT INTO t VALUES(1, 1)'
stop 0
same_restored app.db backup
start app.db backup
sqlite3 app.db 'INSERT INTO t VALUES(2, 2)'
eventually 20 is_replicated app.db
stop 0
same_restored app.db backup
[ "$(generations backup)" = 1 ] || fail "$(cat replicate.log)"

# What was written while it was not there is noticed.
sqlite3 app.db 'INSERT INTO t VALUES(3, 3)'
start app.db backup
eventually 20 is_replicated app.db
stop 0
same_restored app.db backup

# With a program: it ends with it, and has its status.
LSVFS_REPLICA_URL=$PWD/exec/%f expect_exit 3 "$LSVFS" replicate \
	-exec './child.sh app.db "DELETE FROM t WHERE a > 100" 3' \
	app.db 2>replicate.log
same_restored app.db exec/app.db
# shellcheck disable=SC2016 # it is expanded by the program
start -exec 'sh -c "trap \"exit 7\" USR1; : >ready; while :; do sleep 0.05; done"' \
	app.db backup
eventually 20 test -e ready
kill -USR1 "$replicate_pid"
status=0
wait "$replicate_pid" || status=$?
[ "$status" = 7 ] || fail "exit $status, not that of the program"
expect_exit 1 "$LSVFS" replicate -exec ./no-such-program app.db backup \
	2>replicate.log
grep -q no-such-program replicate.log || fail "$(cat replicate.log)"

# A replica that cannot be: it says so, and its status does.
: >full
start app.db full/backup
eventually 20 grep -q '^error' replicate.log
stop 1

# To several replicas at once, one of them away; named by their types.
: >away
start app.db several/one file://"$PWD"/several/two away/three
sqlite3 app.db 'INSERT INTO t VALUES(4, 4)'
eventually 20 grep -q 'cannot put to replica.*away/three' replicate.log
stop 1
same_restored app.db several/one
same_restored app.db several/two
"$LSVFS" status app.db >out || :
[ "$(grep -c '^replica   file[23]\? ' out)" = 3 ] || fail "$(cat out)"
expect_exit 1 "$LSVFS" replicate app.db several/one several/one 2>err
grep -q 'another of its replicas is named file2 or is at' err ||
	fail "$(cat err)"
expect_exit 2 "$LSVFS" replicate app.db several/one several/%q 2>err
grep -q "cannot use the replica URL 'several/%q'" err || fail "$(cat err)"
expect_exit 2 "$LSVFS" replicate app.db 1 2 3 4 5 6 7 8 9 2>err
grep -q 'at most 8 replicas' err || fail "$(cat err)"

# By a configuration file: all that it names, and its program.
cat >lsvfs.yml <<END
exec: ./child.sh two.db "INSERT INTO t VALUES(2, 2)"
dbs:
- path: $PWD/app.db
  replicas:
  - path: $PWD/configured/app
- path: $PWD/two.db
  replicas:
  - path: $PWD/configured/two
END
sqlite3 two.db 'CREATE TABLE t(a, b)'
LSVFS_REPLICA_URL=$PWD/elsewhere/%f \
	"$LSVFS" replicate -config lsvfs.yml 2>replicate.log ||
	fail "exit $?: $(cat replicate.log)"
same_restored app.db configured/app
same_restored two.db configured/two
[ ! -e elsewhere ] || fail '-config does not come before the environment'
"$LSVFS" replicate -config lsvfs.yml -exec './child.sh two.db "DELETE FROM t"' \
	two.db 2>replicate.log || fail "exit $?: $(cat replicate.log)"
same_restored two.db configured/two
# Its log, too, is where and what the file says; without a level as ever.
cp lsvfs.yml logging.yml
echo "logging: {type: json, file: $PWD/server.log}" >>logging.yml
"$LSVFS" replicate -config logging.yml -exec true 2>err || fail "$(cat err)"
[ ! -s err ] || fail "on stderr: $(cat err)"
grep -q '"level":"INFO","msg":".*two.db: replicates to' server.log ||
	fail "$(cat server.log)"
echo 'dbs: [' >wrong.yml
expect_exit 2 "$LSVFS" replicate -config wrong.yml 2>err
grep -q 'wrong.yml:2:1:' err || fail "no position: $(cat err)"

# Usage.
export LSVFS_CONFIG=$PWD/none.yml
echo 'dbs: []' >none.yml
expect_exit 1 "$LSVFS" replicate 2>err
grep -q 'names no database' err || fail "$(cat err)"
expect_exit 2 env -u LSVFS_REPLICA_URL "$LSVFS" replicate app.db 2>err
grep -q LSVFS_REPLICA_URL err || fail "no remedy: $(cat err)"
