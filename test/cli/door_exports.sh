#!/bin/bash
# SPDX-License-Identifier: MIT
#
# liblsvfs.so shows its names and nothing else, and needs libc only.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires nm readelf

exported()
{
	nm -D --defined-only "$1" | awk '{print $3}' | sort
}

exported "$LIBLSVFS" >shown
sort "$top_srcdir/vfs/liblsvfs.syms" >listed
same_file listed shown

# The header promises what is there.
grep -o 'lsvfs_[a-z_]*(' "$top_srcdir/vfs/lsvfs.h" | tr -d '(' | sort -u \
	>promised
grep '^lsvfs_' listed >functions
comm -23 functions promised >missing
[ ! -s missing ] || fail "not in lsvfs.h: $(cat missing)"

engine=$(dirname "$LIBLSVFS")/lsvfs-engine.so
exported "$engine" | grep -vxFf "$top_srcdir/vfs/lsvfs-engine.syms" >others ||
	:
[ ! -s others ] || fail "lsvfs-engine.so exports $(cat others)"
exported "$engine" | grep -x lsv_engine >found || fail "no lsv_engine"

[ -z "$SANITIZER" ] || exit 0
readelf -d "$LIBLSVFS" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >needed
echo libc.so.6 >libc
same_file libc needed
readelf -d "$LIBLSVFS" | grep NODELETE >found || fail "liblsvfs.so may be unloaded"
