#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A C program linked with -llsvfs, shared and static.  (That pkg-config finds
# them where they are installed is door_linked.sh's.)

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

requires sqlite3 pkg-config
built=$(dirname "$LIBLSVFS")
compile_way shared -DWITH_LSVFS -I"$top_srcdir/vfs" -L"$built" \
	-Wl,-rpath,"$built" -llsvfs -lsqlite3
read -r -a libs <<<"$(pkg-config --libs sqlite3 liblz4 libzstd jansson \
	libcurl libcrypto expat yaml-0.1)"
compile_way static -DWITH_LSVFS -I"$top_srcdir/vfs" \
	"$top_builddir/liblsvfs.a" "${libs[@]}" -lpthread

# Linked statically and preloaded: one of us.
if [ -z "$SANITIZER" ]; then
	round_trip twice.db preload ./static quiet default open=twice.db wal \
		"sql=$way_sql" 'sql=select count(*) from t'
	LSVFS_REPLICA_URL=$PWD/backup/%f preload ./static default open=twice.db \
		>out
	grep -qx 'twice.db: litestream/unix' out || fail "$(cat out)"
fi

# A connection that has not read yet does not keep anybody waiting.
export LSVFS_REPLICA_URL=$PWD/backup/%f
prints "sync: 0
sync: 0" ./shared quiet default open=idle.db wal \
	"sql=create table t (x)" sync=idle.db "sql=insert into t values (1)" \
	close open=idle.db sync=idle.db
unset LSVFS_REPLICA_URL

# Whoever asks for the status keeps its locks (I8): SHARED on the database, the
# "dead man's switch" and a read mark in the shm, ours in the folder.
LSVFS_REPLICA_URL=$PWD/backup/%f ./shared quiet default open=locks.db wal \
	"sql=create table t (x)" sync=locks.db 'sql=begin' \
	'sql=select count(*) from t' locks status=locks.db locks >out
[ "$(grep -c '^locks: [3-9]$' out)" = 2 ] || fail "$(cat out)"
[ "$(grep '^locks' out | uniq | wc -l)" = 1 ] || fail "locks went: $(cat out)"
grep -q '"state":"replicated"' out || fail "$(cat out)"

for way in shared static; do
	round_trip "$way.db" "./$way" register quiet vfs=litestream \
		"open=$way.db" wal "sql=$way_sql" 'sql=select count(*) from t'
	# What was restored goes on.
	round_trip "$way.db" "./$way" quiet default "open=$way.db" \
		"sql=delete from t where id = 502" \
		"sql=insert into t (x) values ('a')" \
		'sql=select count(*) from t'
done
