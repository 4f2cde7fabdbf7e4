#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Each fuzz target over its corpus: inputs that are valid, and those that once
# were trouble.

. "${top_srcdir:-.}/test/lib/functions.sh"

n=0
for target in "$top_builddir"/test/fuzz/fuzz_*; do
	[[ ${target##*/} != *.* && -f $target ]] || continue
	n=$((n + 1))
	"$target" "$top_srcdir/test/fuzz/corpus/${target##*/fuzz_}"/*
done
[ "$n" -ge 5 ] || fail "only $n fuzz targets are built"
