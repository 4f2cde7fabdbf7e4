#!/bin/bash
# SPDX-License-Identifier: MIT
#
# part-size, concurrency and storage-class of a litestream.yml: a snapshot goes
# up in parts of that size, so many at once, in that class; what they make up is
# the snapshot.

. "${top_srcdir:-.}/test/lib/s3.sh"

requires sqlite3 python3

# What comes alone waits for ever, and the test with it.
background python3 "$top_srcdir/test/s3/store.py" port store.log 3
eventually 30 test -e port
at="s3://bkt/app.db?endpoint=http://127.0.0.1:$(cat port)"
cat >litestream.yml <<END
dbs:
  - path: $PWD/app.db
    replicas:
      - url: $at
        part-size: 5MiB
        concurrency: 3
        storage-class: STANDARD_IA
END
"$LSVFS" config check -config litestream.yml >out 2>&1 || fail "$(cat out)"
[ "$(cat out)" = 'litestream.yml is right: 1 database' ] || fail "$(cat out)"

sqlite3 app.db 'PRAGMA journal_mode=wal; CREATE TABLE t (x);
	INSERT INTO t VALUES (randomblob(22000000))' >out
"$LSVFS" sync -config litestream.yml -timeout 2m app.db >out 2>&1 ||
	fail "$(cat out)"
[ "$(grep -c '^part . 5242880$' store.log)" = 4 ] || fail "$(cat store.log)"
[ "$(grep -c '^part 5 ' store.log)" = 1 ] || fail "$(cat store.log)"
grep -qx 'complete 5' store.log || fail "$(cat store.log)"
grep -qx 'upload STANDARD_IA' store.log || fail "$(cat store.log)"
! grep -E '^wrong|^(put|upload) -$' store.log || fail 'see above'

"$LSVFS_RESTORE" -o restored.db "$at" >out 2>&1 || fail "$(cat out)"
sqlite3 app.db .sha3sum >expected
sqlite3 restored.db .sha3sum >got
same_file expected got
keeps_secret out store.log

# The URL says the same, and has the last word.
sed -i 's/app\.db?/two.db?part-size=6000000\&concurrency=2\&storageClass=GLACIER_IR\&/
	s/\/app\.db$/\/two.db/' litestream.yml
sqlite3 app.db 'VACUUM INTO "two.db"'
: >store.log
# Two of them are no three.
expect_exit 1 "$LSVFS" sync -config litestream.yml -timeout 2s two.db \
	>out 2>&1
[ "$(grep -c '^part [12] 6000000$' store.log)" = 2 ] || fail "$(cat store.log)"
! grep '^part 3' store.log || fail 'three at once'
grep -qx 'upload GLACIER_IR' store.log || fail "$(cat store.log)"

# What no store takes is named.
sed -i 's/part-size: 5MiB/part-size: 1MiB/' litestream.yml
expect_exit 1 "$LSVFS" config check -config litestream.yml >out 2>&1
grep -q 'litestream.yml:5:.*part-size: not a value of it' out ||
	fail "$(cat out)"
