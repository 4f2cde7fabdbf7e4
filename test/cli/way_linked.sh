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
read -r -a libs <<<"$(pkg-config --libs sqlite3 liblz4 libzstd jansson)"
compile_way static -DWITH_LSVFS -I"$top_srcdir/vfs" \
	"$top_builddir/liblsvfs.a" "${libs[@]}" -lpthread

for way in shared static; do
	round_trip "$way.db" "./$way" register quiet vfs=litestream \
		"open=$way.db" wal "sql=$way_sql" 'sql=select count(*) from t'
	# What was restored goes on.
	round_trip "$way.db" "./$way" quiet default "open=$way.db" \
		"sql=delete from t where id = 502" \
		"sql=insert into t (x) values ('a')" \
		'sql=select count(*) from t'
done
