#!/bin/bash
# SPDX-License-Identifier: MIT
#
# LD_PRELOAD: which opens are ours, which are not, and what is said.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3
compile_way way -lsqlite3 2>compile.err || skip "libsqlite3-dev is not there"

# All of SQLite's three ways to open, by the environment...
export LSVFS_REPLICA_URL=$PWD/backup/%f
prints "a.db: litestream/unix
b.db: litestream/unix
c.db: litestream/unix" preload ./way open=a.db open1=b.db open16=c.db
prints litestream/unix preload sqlite3 a.db .vfsname
# ...by LSVFS_OPTIONS, by one that the program sets itself...
prints "a.db: litestream/unix" env -u LSVFS_REPLICA_URL \
	LSVFS_OPTIONS="replica=$PWD/backup/%f" \
	LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
	./way open=a.db
unset LSVFS_REPLICA_URL
prints "a.db: unix
a.db: litestream/unix" preload ./way open=a.db close \
	"env=LSVFS_REPLICA_URL=$PWD/backup/%f" open=a.db
# ...by a URI, in one process beside a database that is not ours (I14)...
prints "file:a.db?replica=$PWD/backup/a.db: litestream/unix
b.db: unix" preload ./way "open=file:a.db?replica=$PWD/backup/a.db" open=b.db
# ...and not without any of them.
prints "a.db: unix" preload ./way open=a.db

# An explicit name is found before anything else was opened.
prints "a.db: unix" preload ./way vfs=litestream open=a.db

# After sqlite3_shutdown() SQLite's own VFS is the default again, and we come
# back.
export LSVFS_REPLICA_URL=$PWD/backup/%f
prints "a.db: litestream/unix
b.db: litestream/unix" preload ./way open=a.db close shutdown open=b.db

# A default that the application chose after us stands, and is said once.
prints "a.db: litestream/unix
b.db: own
c.db: own" preload ./way open=a.db own open=b.db open=c.db 2>err
[ "$(grep -c "default VFS is now 'own'" err)" = 1 ] || fail "$(cat err)"
# One that was there before is below us.
prints "a.db: litestream/own" preload ./way own open=a.db

# Inside a SQLite that was configured without threads nothing of ours runs.
prints "a.db: unix
b.db: unix" preload ./way singlethread open=a.db open=b.db 2>err
[ "$(grep -c "its SQLite is without threads" err)" = 1 ] || fail "$(cat err)"

# Preloaded by the loader's own option, the environment knows nothing.
loader=$(readelf -l "$(command -v sqlite3)" |
	sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
if [ -z "$SANITIZER" ] && "$loader" --help | grep -e --preload >found; then
	prints litestream/unix "$loader" --preload "$LIBLSVFS" \
		"$(command -v sqlite3)" a.db .vfsname
fi

# By a relative path, from a folder that is left before the first open.
mkdir -p lib/lsvfs elsewhere
cp "$(realpath "$LIBLSVFS")" lib/liblsvfs.so
cp "$(dirname "$LIBLSVFS")/lsvfs-engine.so" lib/lsvfs/
if [ -z "$SANITIZER" ]; then
	LD_PRELOAD=lib/liblsvfs.so ./way chdir=elsewhere open=a.db >out
	grep -qx 'a.db: litestream/unix' out || fail "not ours: $(cat out)"
fi

# A library without its engine: the program goes on, one line says why.
rm lib/lsvfs/lsvfs-engine.so
LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$PWD/lib/liblsvfs.so" \
	./way open=a.db close open=a.db >out 2>err
printf 'a.db: unix\na.db: unix\n' >expected
same_file expected out
[ "$(wc -l <err)" = 1 ] || fail "not one line: $(cat err)"
grep -q 'lsvfs-engine.so .*nothing is replicated' err || fail "$(cat err)"

# A wrong option: the same.
LSVFS_OPTIONS=durability=reliable preload ./way open=a.db close open=a.db \
	>out 2>err
same_file expected out
grep -q "cannot use 'durability=reliable' in LSVFS_OPTIONS" err ||
	fail "$(cat err)"
[ "$(grep -c 'not replicated' err)" = 1 ] || fail "$(cat err)"
LSVFS_LOG=off LSVFS_OPTIONS=durability=reliable preload ./way open=a.db \
	2>err >/dev/null
[ ! -s err ] || fail "LSVFS_LOG=off says $(cat err)"
