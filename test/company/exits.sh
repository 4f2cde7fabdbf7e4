#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that commits once and ends at once: when it has gone, its commit is
# on the replica, and on record as being there.  Several databases at a time,
# so that it is not always the same thread that is first.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

# one NAME: a life of many starts; what is wrong goes to NAME.wrong.
one()
{
	local db=$1.db n

	: >"$1.wrong"
	preload sqlite3 "$db" 'pragma journal_mode=wal; create table t(x)' \
		>"$1.out" 2>&1
	for ((n = 1; n <= 25; n++)); do
		preload sqlite3 "$db" 'insert into t values(1)' \
			>"$1.out" 2>&1 || echo "insert $n: $(cat "$1.out")"
		"$LSVFS" status "$db" >"$1.out" 2>&1 || :
		grep -q '^state  *replicated$' "$1.out" ||
			echo "status after $n: $(cat "$1.out")"
	done >>"$1.wrong"
}

for name in a b c d e; do
	one "$name" &
	lives+=($!)
done
wait "${lives[@]}"
for name in a b c d e; do
	[ ! -s "$name.wrong" ] || fail "$(cat "$name.wrong")"
	restored "$name.db"
done
