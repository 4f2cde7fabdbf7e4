#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The litestream.yml of Litestream's guide for MinIO: its keys and nothing else
# (the environment has no credentials), a program that is preloaded, and both
# our restore and Litestream's through the same file.

. "${top_srcdir:-.}/test/lib/s3.sh"

not_under_tsan
requires sqlite3
litestream=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?
find_store minio
start_store
cat >litestream.yml <<END
access-key-id: $AWS_ACCESS_KEY_ID
secret-access-key: $AWS_SECRET_ACCESS_KEY

dbs:
  - path: $PWD/fruits.db
    replicas:
      - type: s3
        bucket: bkt
        path: fruits.db
        endpoint: $store_endpoint
        force-path-style: true
END
unset "${!AWS_ACCESS_@}" "${!AWS_SECRET_@}"

export LSVFS_CONFIG=$PWD/litestream.yml
preload sqlite3 fruits.db "create table fruits (name text);
	insert into fruits values ('apple')"
preload sqlite3 fruits.db "insert into fruits values ('banana')"
"$LSVFS" sync fruits.db
unset LSVFS_CONFIG

"$LSVFS_RESTORE" -config litestream.yml -o ours.db fruits.db >out
prints apple,banana sqlite3 ours.db 'select group_concat(name) from fruits'
"$litestream" restore -config litestream.yml -o theirs.db "$PWD/fruits.db" \
	>stock.log 2>&1 || fail "$(cat stock.log)"
prints apple,banana sqlite3 theirs.db 'select group_concat(name) from fruits'
"$LSVFS" generations -config litestream.yml fruits.db >out
[ "$(wc -l <out)" = 2 ] || fail "$(cat out)"
