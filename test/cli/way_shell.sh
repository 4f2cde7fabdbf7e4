#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The sqlite3 shell: preloaded, and with .load.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3

{
	echo 'pragma journal_mode=wal;'
	echo "$way_sql;"
} >sql
# The pragma answers; the result is the count.
count='select count(*) from t'
round_trip preloaded.db preload sqlite3 preloaded.db \
	'.output /dev/null' '.read sql' '.output stdout' "$count"
round_trip loaded.db unloaded sqlite3 :memory: ".load $LIBLSVFS" \
	'.open loaded.db' '.output /dev/null' '.read sql' '.output stdout' \
	"$count"
# Twice: the second one goes on where the first stopped.
preload sqlite3 loaded.db 'select 1' >out 2>err
[ ! -s err ] || fail "$(cat err)"
