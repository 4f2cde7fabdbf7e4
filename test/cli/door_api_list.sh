#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every function of SQLite that the engine calls is in vfs/api_list.h: one
# that is not would be NULL in a preloaded or linked process.

. "${top_srcdir:-.}/test/lib/functions.sh"

# The doors call SQLite by name: they are before the table.
sources=()
for file in "$top_srcdir"/vfs/*.[ch]; do
	grep -q '"vfs/api.h"' "$file" && sources+=("$file")
done
[ ${#sources[@]} -gt 1 ] || fail "no source uses vfs/api.h"

# Calls in code, not in comments (which begin with * or / *).
grep -hvE '^[[:space:]]*(\* |\*/|\*$|/\*)' "${sources[@]}" |
	grep -oE '\bsqlite3_[a-z0-9_]+ ?\(' | tr -d ' (' |
	grep -v -x sqlite3_api | sort -u >called
sed -n 's/^LSV_API[A-Z_]*(.*, \(.*\))$/\1/p' "$top_srcdir/vfs/api_list.h" |
	sort >listed
[ -s called ] || fail "found no calls"
[ -s listed ] || fail "found no list"
comm -23 called listed >missing
[ ! -s missing ] || fail "not in vfs/api_list.h: $(tr '\n' ' ' <missing)"
