#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two processes find at the same time that a database has no generation yet: one
# of them makes it, however long that takes, and there is no other.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 strace

# slow N: an application of which the Nth sync takes a second, and lsvfs sync
# beside it.
slow()
{
	local name=$1.db
	local ours="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS"

	LIBLSVFS='' app_start strace -f -o trace -e trace=fsync \
		-e "inject=fsync:delay_enter=1000000:when=$1" \
		-E LD_PRELOAD="$ours" sqlite3 "$name"
	tell 'pragma journal_mode=wal; create table t(x);'
	catch_up "$name"
	commits 1
	eventually 60 is_restored "$name"
	app_end
	restored "$name"
	objects_are "$name" 1 1
}
slow 1
slow 2
slow 3
