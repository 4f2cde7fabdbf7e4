#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-tidy.sh ROOT CACHE FLAG...: clang-tidy over each .c, two at a time.  A
# file whose preprocessed text, comments included, has passed before is not
# looked at again: CACHE is a folder that remembers.

set -eu -o pipefail

cd "$1"
CACHE=$2
shift 2
FLAGS=("$@")
export CACHE

mkdir -p "$CACHE"

# What a file's result depends on, as one hash.
state_of()
{
	{
		cat .clang-tidy test/.clang-tidy
		clang-tidy --version
		printf '%s\n' "$1" "${@:2}"
		clang -E -C "${@:2}" "$1"
	} | sha256sum | cut -d' ' -f1
}

check_one()
{
	local file=$1 state
	shift

	state=$CACHE/$(state_of "$file" "$@") || exit 1
	[ ! -e "$state" ] || return 0
	clang-tidy --quiet "$file" -- "$@" 2>/dev/null || {
		echo "$file: clang-tidy refuses it" >&2
		return 1
	}
	: >"$state"
}
export -f state_of check_one

# Longest first, so that the last one running is a short one.
mapfile -t files < <(
	find replica vfs tools test -name '*.c' -printf '%s %p\n' 2>/dev/null |
		sort -rn | cut -d' ' -f2-)
[ "${#files[@]}" -gt 0 ] || {
	echo "$PWD: no source to check" >&2
	exit 1
}
printf '%s\0' "${files[@]}" |
	xargs -0 -P 2 -I{} bash -c 'check_one "$@"' check-tidy {} "${FLAGS[@]}"
find "$CACHE" -type f -mtime +14 -delete
echo "tidy: ${#files[@]} files"
