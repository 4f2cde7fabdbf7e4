#!/bin/bash
# SPDX-License-Identifier: MIT
#
# SQLite's amalgamation compiled with -DSQLITE_EXTRA_INIT=lsvfs_extra_init and
# linked with liblsvfs.a: a program without a word of lsvfs is replicated.  The
# amalgamation is the one that mattn/go-sqlite3 has inside.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

requires go sqlite3 pkg-config
cat >go.mod <<'END'
module example.org/way

go 1.21

require github.com/mattn/go-sqlite3 v1.14.53
END
module=$(GOFLAGS=-mod=mod go list -m -f '{{.Dir}}' \
	github.com/mattn/go-sqlite3 2>go.log) && [ -z "$module" ] &&
	GOFLAGS=-mod=mod go mod download github.com/mattn/go-sqlite3 2>go.log &&
	module=$(GOFLAGS=-mod=mod go list -m -f '{{.Dir}}' \
		github.com/mattn/go-sqlite3)
[ -e "${module:-.}/sqlite3-binding.c" ] ||
	skip "cannot fetch mattn/go-sqlite3: $(tail -n 3 go.log)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test
mkdir -p "$cache"
exec 9>"$cache/lock-go-sqlite3"
flock 9
object=$cache/amalgamation-$(basename "$module")-$(uname -m).o
if [ ! -e "$object" ]; then
	"${compile[@]}" -w -O0 -c -o amalgamation.o -DSQLITE_THREADSAFE=1 \
		-DSQLITE_EXTRA_INIT=lsvfs_extra_init \
		"$module/sqlite3-binding.c"
	mv amalgamation.o "$object"
fi
exec 9>&-
read -r -a libs <<<"$(pkg-config --libs liblz4 libzstd jansson libcurl \
	libcrypto expat yaml-0.1)"
compile_way way "$object" "$top_builddir/liblsvfs.a" "${libs[@]}" -lpthread \
	-lm -ldl

# Whatever opens it, whenever SQLite begins again, and whoever names no VFS.
round_trip a.db ./way quiet open1=a.db wal "sql=$way_sql" \
	'sql=select count(*) from t'
export LSVFS_REPLICA_URL=$PWD/backup/%f
prints 'a.db: litestream/unix
a.db: litestream/unix
a.db: litestream/unix' ./way open1=a.db close open16=a.db close shutdown \
	open=a.db

# An option that is wrong is said; the application has its database (I5).
LSVFS_OPTIONS=nonsense=1 prints 'b.db: unix
1' ./way open1=b.db wal 'sql=create table t (x)' \
	'sql=insert into t values (1)' 'sql=select count(*) from t' 2>err
grep -q "cannot use 'nonsense=1' in LSVFS_OPTIONS" err ||
	fail "said $(cat err)"
[ ! -e backup/b.db ] || fail "replicated with options that are wrong"
