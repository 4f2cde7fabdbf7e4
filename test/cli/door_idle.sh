#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A preloaded program that never opens a database, or none that we are
# configured for, has one library more: us.
#
# shellcheck disable=SC2016 # $PPID is of the shell inside
# shellcheck disable=SC2002 # whose maps they are

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

[ -z "$SANITIZER" ] || skip "a sanitizer's run-time comes along"

libraries()
{
	sed -n 's|.* \(/[^ ]*\)$|\1|p' | sort -u
}

library=$(realpath "$LIBLSVFS")
export LSVFS_REPLICA_URL=$PWD/backup

cat /proc/self/maps | libraries >bare
preload cat /proc/self/maps | libraries >preloaded
echo "$library" | sort - bare >expected
same_file expected preloaded

# Opens a database, and is configured for nothing.
unset LSVFS_REPLICA_URL
requires sqlite3
sqlite3 a.db 'create table t(x)'
shell_maps()
{
	"$@" sqlite3 a.db 'select count(*) from t' \
		'.shell cat /proc/$PPID/maps >maps' >count
	libraries <maps | grep -v '/a\.db'
}
shell_maps env >bare
shell_maps preload >preloaded
echo "$library" | sort - bare >expected
same_file expected preloaded
[ ! -e backup ] || fail "made a replica that nobody asked for"
