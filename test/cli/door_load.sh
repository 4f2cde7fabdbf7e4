#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The loadable extension: the connection that loads us stays as it is, later
# ones are served, and we stay when it is closed.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3
export LSVFS_REPLICA_URL=$PWD/backup/%f

mkdir lib
ln -s "$LIBLSVFS" lib/
prints "unix
litestream/unix" unloaded sqlite3 a.db \
	".load ${LIBLSVFS%.so}" .vfsname '.open a.db' .vfsname
# By a link somewhere else: the engine is beside what the link means.
prints litestream/unix unloaded sqlite3 :memory: ".load ./lib/liblsvfs" \
	'.open a.db' .vfsname
# Twice, and by the other function.
prints "litestream/unix
litestream/unix" unloaded sqlite3 :memory: ".load $LIBLSVFS" '.open a.db' \
	.vfsname ".load $LIBLSVFS" '.open b.db' .vfsname
prints "
litestream/unix" unloaded sqlite3 :memory: \
	"select load_extension('$LIBLSVFS')" '.open a.db' .vfsname
# Nothing is replicated that is not configured for (I14).
prints unix env -u LSVFS_REPLICA_URL LD_PRELOAD="$sanitizer_runtime" sqlite3 \
	:memory: ".load $LIBLSVFS" '.open a.db' .vfsname

# Preloaded and loaded: one engine.
prints litestream/unix preload sqlite3 a.db ".load $LIBLSVFS" .vfsname

# Two files of the library in one process: the first one does the work.
mkdir -p second/lsvfs
cp "$(realpath "$LIBLSVFS")" second/liblsvfs.so
cp "$(dirname "$LIBLSVFS")/lsvfs-engine.so" second/lsvfs/
prints "litestream/unix
litestream/unix" env LSVFS_LOG=warn \
	LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
	sqlite3 a.db .vfsname ".load second/liblsvfs" '.open a.db' .vfsname 2>err
[ "$(grep -c 'another copy of lsvfs' err)" = 1 ] || fail "$(cat err)"

# A wrong option: the error of load_extension(), and a line.
LSVFS_OPTIONS=checkpoint=never unloaded sqlite3 a.db ".load $LIBLSVFS" \
	>out 2>err || :
grep -q 'lsvfs cannot be loaded' err || fail "$(cat err)"
grep -q "cannot use 'checkpoint=never' in LSVFS_OPTIONS" err ||
	fail "$(cat err)"
