#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-headers.sh ROOT COMPILER FLAG...: each header compiles alone, and the
# public one as C++, too.

set -eu -o pipefail

cd "$1"
shift

n=0
failed=0
while IFS= read -r -d '' header; do
	n=$((n + 1))
	printf '#include "%s"\n' "$header" |
		"$@" -fsyntax-only -x c - || {
		echo "$header: does not compile alone" >&2
		failed=1
	}
done < <(find replica vfs tools test -name '*.h' -print0 2>/dev/null | sort -z)
[ "$n" -gt 0 ] || {
	echo "$PWD: no header to check" >&2
	exit 1
}

for standard in c++98 c++17; do
	printf '#include "vfs/lsvfs.h"\nint main() { lsvfs_options o; (void)o; return 0; }\n' |
		"${CXX:-g++}" -std=$standard -Wall -Wextra -pedantic -Werror \
			-I. -fsyntax-only -x c++ - || failed=1
done
[ "$failed" = 0 ] || exit 1
echo "headers: $n compile alone"
