#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The commands under a configuration file: what they list, check and find
# through it, and what they say when it is wrong.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

requires sqlite3
unset LSVFS_REPLICA_URL
here=$PWD
mkdir tenants
cat >litestream.yml <<END
access-key-id: \$KEY
dbs:
  - path: $here/app.db
    monitor-interval: 1s
    replicas:
      - path: $here/one
      - path: $here/two
        name: second
  - dir: $here/tenants
    pattern: '*.db'
    replica: {path: $here/tenants.backup}
END
sqlite3 app.db 'create table t (x); insert into t values (1)'
sqlite3 tenants/a.db 'create table t (x); insert into t values (2)'

# says PATTERN: the last command said that on stderr.
says()
{
	grep -q -- "$1" err || fail "no '$1' in: $(cat err)"
}

# databases, as Litestream 0.3 prints them
prints "path$(printf '%*s' $((${#here} + 11)) '')replicas
$here/app.db        file,second
$here/tenants/a.db  file" "$LSVFS" databases -config litestream.yml
LITESTREAM_CONFIG=litestream.yml "$LSVFS" databases -json >json
grep -q "\"url\": \"$here/tenants.backup/a.db\"" json || fail "$(cat json)"
cat >keys.yml <<END
dbs:
  - path: $here/app.db
    replicas:
      - url: s3://id:secret@bucket/app?secret-access-key=secret
END
"$LSVFS" databases -json -config keys.yml >json 2>err || fail "$(cat err)"
grep -q '"url": "s3://bucket/app"' json || fail "$(cat json)"
! grep secret json err || fail 'databases says a key'
expect_exit 2 "$LSVFS" databases -config litestream.yml app.db 2>err
says 'one too many'

# config check
"$LSVFS" config check -config litestream.yml >out 2>err
grep -q 'is right: 2 databases' out || fail "$(cat out)"
grep -q ':4: monitor-interval: commits are seen' out || fail "$(cat out)"
grep -q 'KEY is not set' out || fail "$(cat out)"
[ ! -s err ] || fail "$(cat err)"
"$LSVFS" config check -config litestream.yml -no-expand-env >out
! grep 'KEY' out || fail 'expanded with -no-expand-env'
sed 's/path: .*two/paht: x/' litestream.yml >wrong.yml
expect_exit 1 "$LSVFS" config check -config wrong.yml 2>err >out
says "^error: $here/wrong.yml:7:9: unknown key 'paht' in a replica"
[ ! -s out ] || fail "$(cat out)"
expect_exit 1 "$LSVFS" config check -json -config wrong.yml >json
grep -q '"ok": false' json || fail "$(cat json)"
expect_exit 1 "$LSVFS" config check -config nowhere.yml 2>err
says 'nowhere.yml: cannot read it: No such file'
expect_exit 2 "$LSVFS" config 2>err
expect_exit 2 "$LSVFS" databases -config wrong.yml 2>err
says 'wrong.yml:7:9'

# sync brings a database that no program of ours opened; the lists find it.
"$LSVFS" sync -config litestream.yml app.db
"$LSVFS" sync -config litestream.yml tenants/a.db
prints 'wal' sqlite3 app.db 'pragma journal_mode'
"$LSVFS" snapshots -config litestream.yml app.db >out
[ "$(cut -d ' ' -f 1 out | xargs)" = 'replica file second' ] ||
	fail "$(cat out)"
"$LSVFS" snapshots -config litestream.yml -replica second app.db >out
[ "$(cut -d ' ' -f 1 out | xargs)" = 'replica second' ] || fail "$(cat out)"
expect_exit 2 "$LSVFS" wal -config litestream.yml -replica third app.db 2>err
says 'no replica named third'
expect_exit 2 "$LSVFS" generations -config litestream.yml other.db 2>err
says 'other.db is not in litestream.yml'
expect_exit 1 "$LSVFS" sync -config litestream.yml other.db 2>err
sqlite3 other.db 'pragma journal_mode = wal; create table t (x)' >out
expect_exit 2 "$LSVFS" sync -config litestream.yml other.db 2>err
says 'other.db has no replica'

# Where a replica cannot be one, whoever says so, that is usage.
for url in s3:// ftp://x/y s3://b/p?bogus=1; do
	expect_exit 2 "$LSVFS" sync -replica-url "$url" other.db 2>err
	says '^error: cannot open replica'
	LSVFS_REPLICA_URL=$url expect_exit 2 "$LSVFS" sync other.db 2>err
	says '^error: cannot open replica'
	expect_exit 2 "$LSVFS" snapshots "$url" 2>err
	says '^error: cannot open replica'
done
expect_exit 2 "$LSVFS" sync -config wrong.yml other.db 2>err
says 'wrong.yml:7:9'
expect_exit 2 "$LSVFS" sync -config nowhere.yml other.db 2>err
says 'nowhere.yml: cannot read it: No such file'

# -config comes before the environment, a file that is only found behind it.
LSVFS_REPLICA_URL=$here/env "$LSVFS" sync -config litestream.yml app.db
[ ! -e env ] || fail 'LSVFS_REPLICA_URL came before -config'
sqlite3 b.db 'pragma journal_mode = wal; create table t (x)' >out
LSVFS_CONFIG=litestream.yml LSVFS_REPLICA_URL=$here/env/%f "$LSVFS" sync b.db
[ -e env/b.db ] || fail 'LSVFS_REPLICA_URL came behind a file'

# restored OPTION...: app.db is back, with its row.
restored()
{
	"$LSVFS_RESTORE" -config litestream.yml "$@" >out 2>err ||
		fail "lsvfs-restore $*: exit $?: $(cat err)"
	prints 1 sqlite3 out.db 'select x from t'
	rm -rf out.db .out.db-litestream
}

# restore finds the replica, and one that is gone is passed over.
restored -o out.db app.db
restored -o out.db -replica second app.db
mv one gone
restored -o out.db app.db
says 'replica file .* is passed over: it holds no backup'
expect_exit 3 "$LSVFS" restore -config litestream.yml -replica file -o out.db \
	app.db 2>err
says 'no backup found of'
"$LSVFS" restore -config litestream.yml -replica file -if-replica-exists \
	-o out.db app.db 2>err
says 'nothing to do'
# The newest of several, whichever is listed first.
mv gone one
"$LSVFS" sync -config litestream.yml app.db
mv two elsewhere
echo "dbs: [{path: $here/app.db, replica: {path: $here/one}}]" >single.yml
sqlite3 app.db 'insert into t values (5)'
"$LSVFS" sync -config single.yml app.db
mv elsewhere two
"$LSVFS" restore -config litestream.yml -o out.db app.db >out
prints 1,5 sqlite3 out.db 'select group_concat(x) from t'
sed -i 's/one$/three/; s/two$/one/; s/three$/two/' litestream.yml
rm -rf out.db .out.db-litestream
"$LSVFS" restore -config litestream.yml -o out.db app.db >out
prints 1,5 sqlite3 out.db 'select group_concat(x) from t'

# Nothing from then: what there is, of the one that has most.
expect_exit 3 "$LSVFS" restore -config litestream.yml -o none.db \
	-timestamp 2000-01-01T00:00:00Z app.db 2>err
[ "$(grep -c '^restorable: generation .* txid ' err)" = \
	"$(find one/generations -mindepth 1 -maxdepth 1 | wc -l)" ] ||
	fail "$(cat err)"
mv one gone
mv two elsewhere
expect_exit 3 "$LSVFS" restore -config litestream.yml -o none.db app.db 2>err
says 'no backup found of'
mv gone one
mv elsewhere two

# Without -o it goes to where it was, as with Litestream.
expect_exit 5 "$LSVFS_RESTORE" -config litestream.yml app.db 2>err
"$LSVFS_RESTORE" -config litestream.yml -if-db-not-exists app.db 2>err
says 'app.db exists, nothing to do'
rm -rf app.db app.db-* .app.db-litestream
LITESTREAM_CONFIG=litestream.yml "$LSVFS_RESTORE" app.db >out
prints 1,5 sqlite3 app.db 'select group_concat(x) from t'

# status knows of a file that is wrong, however well it goes until then.
"$LSVFS" sync -config litestream.yml app.db
"$LSVFS" status -config litestream.yml app.db >out
expect_exit 2 "$LSVFS" status -config wrong.yml app.db >out
grep -q "^error .*wrong.yml:7:9: unknown key 'paht'" out || fail "$(cat out)"

# A URL is a replica, whatever the file says.
expect_exit 2 "$LSVFS_RESTORE" -config litestream.yml -o x.db "$here/one" 2>err
says 'is a replica itself'
expect_exit 2 "$LSVFS_RESTORE" -config wrong.yml -o x.db app.db 2>err
says 'wrong.yml:7:9'
expect_exit 2 "$LSVFS_RESTORE" "$here/one" 2>err
says 'expected -o PATH'
[ ! -e x.db ] || fail 'x.db was made'
