#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-style.sh [ROOT]: what no compiler looks at.  One SPDX line a file, no
# file of C over 600 lines, names unique in the whole tree, no goto, no typedef
# of a struct, nothing left for later.

set -eu -o pipefail

cd "${1:-$(dirname "$0")/..}"

max_lines=600
n_files=0
n_bad=0

bad()
{
	printf '%s\n' "$*" >&2
	n_bad=$((n_bad + 1))
}

# never PATTERN WHY FILE...: no line of the files matches PATTERN.
never()
{
	local pattern=$1 why=$2 line
	shift 2

	while IFS= read -r line; do
		bad "$line: $why"
	done < <(grep -nHE "$pattern" "$@" | cut -c1-100 || :)
}

mapfile -d '' c_files < <(
	find replica vfs tools test -name '*.[ch]' -print0 2>/dev/null | sort -z)
mapfile -d '' other_files < <(
	find bootstrap .ci configure.ac Makefile.am replica vfs tools test man \
		\( -name '*.sh' -o -name '*.bash' -o -name '*.py' -o \
		-name '*.[1-9]' -o -name '*.am' -o -name '*.ac' -o \
		-name 'bootstrap' -o -path '.ci/*' \) \
		-type f -print0 2>/dev/null | sort -z)
[ "${#c_files[@]}" -gt 0 ] || bad "$PWD: no source to check"

for file in "${c_files[@]}" "${other_files[@]}"; do
	n_files=$((n_files + 1))
	grep -q -m1 'SPDX-License-Identifier: MIT' < <(head -n 5 "$file") ||
		bad "$file: no SPDX line at its head"
done

for file in "${c_files[@]}"; do
	n_lines=$(wc -l <"$file")
	[ "$n_lines" -le "$max_lines" ] ||
		bad "$file: $n_lines lines, more than $max_lines: split it"
done

while IFS= read -r name; do
	bad "$name: a file name that is not unique in the tree:" \
		"$(printf '%s\n' "${c_files[@]}" | grep "/$name\$" | xargs)"
done < <(printf '%s\n' "${c_files[@]##*/}" | sort | uniq -d)

never '^[[:space:]]*goto[[:space:]]' 'goto: own by scope instead' \
	"${c_files[@]}"
never '^typedef (struct|union|enum)' 'a typedef hides what it is' \
	"${c_files[@]}"
later='TO''DO|FIX''ME|XX''X|HA''CK'
never "\\b($later)\\b" 'build it, or leave it out' \
	"${c_files[@]}" "${other_files[@]}"

[ "$n_bad" = 0 ] || exit 1
echo "style: $n_files files"
