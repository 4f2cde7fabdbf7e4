#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program under a configuration file: which of its databases are replicated,
# when the file is read again, and what one that is wrong does (nothing, unless
# require-config is set).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 python3
export LSVFS_CONFIG=$PWD/litestream.yml
# A program that ends waits for its replica, also on a busy machine.
export LSVFS_OPTIONS=shutdown-sync-timeout=1m

# config DB...: an entry for each.
config()
{
	local db

	echo dbs:
	for db; do
		printf -- '- path: %s/%s\n  replica: {path: %s/backup/%s}\n' \
			"$PWD" "$db" "$PWD" "$db"
	done
}

# is_restored DB EXPECTED: its replica has these rows of t.
is_restored()
{
	rm -rf out.db .out.db-litestream
	"$LSVFS_RESTORE" -o out.db "backup/$1" >restore.log 2>&1 ||
		fail "lsvfs-restore: exit $?: $(cat restore.log)"
	prints "$2" sqlite3 out.db 'select group_concat(x) from t'
}

# A database of the file is switched to WAL and replicated, what its one
# transaction made as well; another one is not ours (I14).
config a.db >litestream.yml
preload sqlite3 a.db 'create table t (x); insert into t values (1)'
preload sqlite3 a.db 'insert into t values (2)'
is_restored a.db 1,2
prints wal sqlite3 a.db 'pragma journal_mode'
preload sqlite3 one.db 'create table t (x)'
[ ! -e backup/one.db ] || fail 'one.db was replicated'
prints delete sqlite3 one.db 'pragma journal_mode'
config one.db >litestream.yml
preload sqlite3 one.db 'begin; insert into t values (7); commit'
is_restored one.db 7

# What only its program may choose stays its choice.
config b.db >litestream.yml
prints '8192
2
wal' preload sqlite3 b.db 'pragma page_size = 8192; pragma auto_vacuum = 2;
	create table t (x); pragma page_size; pragma auto_vacuum;
	pragma journal_mode'

# It stays in WAL mode, unless the words might be meant for another database.
prints 'wal' preload sqlite3 b.db 'pragma journal_mode = delete'
prints 'delete
delete' preload sqlite3 b.db "attach 'other.db' as o; pragma journal_mode = delete;
	pragma journal_mode"
prints '1' preload sqlite3 b.db 'insert into t values (1); select * from t'
is_restored b.db 1

# force-wal can be switched off, here and in what comes before the file.
config c.db >litestream.yml
echo '  force-wal: no' >>litestream.yml
preload sqlite3 c.db 'create table t (x)'
prints delete preload sqlite3 c.db 'pragma journal_mode'
prints wal preload sqlite3 'file:c.db?force-wal=1' 'pragma journal_mode'

# The URI comes before the program's environment, that before the file.
config d.db >litestream.yml
preload sqlite3 "file:d.db?replica=$PWD/backup/uri" \
	'create table t (x); insert into t values (4)'
is_restored uri 4
[ ! -e backup/d.db ] || fail 'the file had the last word, not the URI'
LSVFS_REPLICA_URL=$PWD/backup/env/%f preload sqlite3 e.db \
	'pragma journal_mode = wal; create table t (x); insert into t values (5)' \
	>/dev/null
is_restored env/e.db 5

# Read again at the next open when it has changed; a wrong one is said once,
# and the program goes on.
cat >program.py <<'END'
import sqlite3, os, sys

def write(text):
    with open("new.yml", "w") as f:
        f.write(text)
    os.rename("new.yml", "litestream.yml")

def put(db, x):
    c = sqlite3.connect(db)
    c.execute("create table if not exists t (x)")
    c.execute("insert into t values (?)", (x,))
    c.commit()
    c.close()

here = os.getcwd()
entry = "- {path: %s/%%s, replica: {path: %s/backup/%%s}}\n" % (here, here)
write("dbs:\n")
put("p.db", 1)
write("dbs:\n" + entry % ("p.db", "p.db"))
put("p.db", 2)
write("dbs:\n" + entry % ("q.db", "q.db") + "bogus: 1\n")
put("q.db", 1)
put("q.db", 2)
write("dbs:\n" + entry % ("q.db", "q.db"))
put("q.db", 3)
END
preload python3 program.py 2>err || fail "$(cat err)"
is_restored p.db 1,2
is_restored q.db 1,2,3
[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)"
grep -q "litestream.yml:3:1: unknown key 'bogus' in the file" err ||
	fail "$(cat err)"

# require-config: then nothing opens, for a wrong file and for none.
# refuses WHY COMMAND...
refuses()
{
	local why=$1
	shift

	if preload "$@" 2>err; then
		fail "opened: $*"
	fi
	grep -q "$why" err || fail "$(cat err)"
}
printf 'require-config: yes\nbogus: 1\n' >litestream.yml
refuses 'is not opened: require-config is set' sqlite3 r.db 'select 1 from t'
echo 'dbs: [' >litestream.yml
prints 3 preload sqlite3 q.db 'select count(*) from t' 2>err
LSVFS_OPTIONS='require-config=1' refuses 'litestream.yml:2:1: not YAML' \
	sqlite3 q.db 'select count(*) from t'
rm litestream.yml
prints 3 preload sqlite3 q.db 'select count(*) from t' 2>err
grep -q 'litestream.yml: cannot read it: No such file' err || fail "$(cat err)"
LSVFS_OPTIONS='require-config=1' refuses 'is not opened' \
	sqlite3 q.db 'select count(*) from t'

# A folder: databases are noticed when they are opened.
mkdir -p tenants/1
cat >litestream.yml <<END
dbs:
- dir: $PWD/tenants
  pattern: '*.db'
  recursive: true
  replica: {path: $PWD/backup/tenants}
END
preload sqlite3 tenants/1/x.db 'create table t (x); insert into t values (8)'
preload sqlite3 tenants/1/x.txt 'create table t (x)'
is_restored tenants/1/x.db 8
[ ! -e backup/tenants/1/x.txt ] || fail 'x.txt was replicated'

# Where the log goes: a file, as JSON, at the level that is asked for; one line
# says where to, and the application's own streams are left alone.
config l.db >litestream.yml
cat >>litestream.yml <<END
logging: {level: info, type: json, file: $PWD/lsvfs.log}
END
preload sqlite3 l.db 'create table t (x); insert into t values (1)' >out 2>&1
[ ! -s out ] || fail "$(cat out)"
python3 - "$PWD" <<'END' || fail "$(cat lsvfs.log)"
import json, sys
lines = [json.loads(line) for line in open("lsvfs.log")]
assert all(line["level"] == "INFO" and line["time"] for line in lines)
begins = [line["msg"] for line in lines if "replicates to" in line["msg"]]
db = sys.argv[1]
assert begins == [f"{db}/l.db: replicates to {db}/backup/l.db (file)"], begins
END
sed -i 's/, type: json//; s/level: info/level: warning/' litestream.yml
echo 'addr: ":9090"' >>litestream.yml
rm lsvfs.log
preload sqlite3 l.db 'insert into t values (2)'
[ ! -e lsvfs.log ] || fail "$(cat lsvfs.log)"
# $LSVFS_LOG has the last word on the level; what means nothing has a line.
LSVFS_LOG=info preload sqlite3 l.db 'insert into t values (3)'
grep -q '^20.*Z INFO .*litestream.yml:5: addr: no port is opened' lsvfs.log ||
	fail "$(cat lsvfs.log)"
