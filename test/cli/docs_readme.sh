#!/bin/bash
# SPDX-License-Identifier: MIT
#
# README.md is true: its files are written, its commands run, in its order and
# in one shell, and what they print is what stands there ("..." is anything).
#
#	```console            "$ command", "> its next line", then its output
#	```LANGUAGE FILE      the content of FILE
#
# Programs and libraries are found in the build as if they were installed.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 python3 pkg-config

# docs_readme.sh FILE: another text, for trying this test itself.
readme=${1:-$top_srcdir/README.md}
built=$(dirname "$LIBLSVFS")
mkdir bin pkgconfig work
ln -s "$LSVFS" "$LSVFS_RESTORE" bin/
sed -e "s|^libdir=.*|libdir=$built|" \
	-e "s|^includedir=.*|includedir=$top_srcdir/vfs|" \
	"$top_builddir/vfs/lsvfs.pc" >pkgconfig/lsvfs.pc
PATH=$PWD/bin:$PATH
PKG_CONFIG_PATH=$PWD/pkgconfig
LD_LIBRARY_PATH=$built
export PATH PKG_CONFIG_PATH LD_LIBRARY_PATH
got=$PWD/got

# As a person types them; a sanitizer's library has to come first.
sqlite3()
{
	LD_PRELOAD="$sanitizer_runtime ${LD_PRELOAD-}" command sqlite3 "$@"
}

python3()
{
	LD_PRELOAD="$sanitizer_runtime ${LD_PRELOAD-}" command python3 "$@"
}

cc()
{
	command "${compile[@]}" "$@"
}

# env LD_PRELOAD=..., in a script that it runs.
if [ -n "$sanitizer_runtime" ]; then
	cat >bin/env <<-END
		#!/bin/sh
		word=\$1
		shift
		exec $(command -v env) \
			"LD_PRELOAD=$sanitizer_runtime \${word#LD_PRELOAD=}" "\$@"
	END
	chmod +x bin/env
fi

# as_pattern TEXT: a pattern of bash's that matches TEXT.
as_pattern()
{
	sed -e 's/[][\\*?]/\\&/g' -e 's/\.\.\./*/g' <<<"$1"
}

n_commands=0
command=
expected=

# run: what was collected, compared with what it printed.
run()
{
	local text

	[ -n "$command" ] || return 0
	n_commands=$((n_commands + 1))
	# The commands are this test's own tree's.
	eval "$command" >"$got" 2>&1 ||
		fail "exit $?: $command"$'\n'"$(cat "$got")"
	text=$(cat "$got")
	# shellcheck disable=SC2053 # a pattern
	[[ $text == $(as_pattern "${expected%$'\n'}") ]] ||
		fail "$command"$'\n'"printed:"$'\n'"$text"$'\n'"expected:"$'\n'"$expected"
	command=
	expected=
}

# read_line LINE: of a console block.
read_line()
{
	case $1 in
	'$ '*)
		run
		command=${1#'$ '}
		;;
	'> '*)
		command+=$'\n'${1#'> '}
		;;
	*)
		expected+=$1$'\n'
		;;
	esac
}

cd work
block=
while IFS= read -r line <&3; do
	case $block,$line in
	,'```console')
		block=console
		;;
	,'```'*' '*)
		block=${line#* }
		: >"$block"
		;;
	,'```'*)
		fail "neither console nor a file: $line"
		;;
	,*) ;;
	*,'```')
		run
		block=
		;;
	console,*)
		read_line "$line"
		;;
	*)
		printf '%s\n' "$line" >>"$block"
		;;
	esac
done 3<"$readme"
[ "$n_commands" -ge 15 ] || fail "only $n_commands commands in $readme"

# systemd finds nothing wrong with the unit, where it is there to be asked.
if command -v systemd-analyze >/dev/null; then
	mkdir units
	sed -e "s|/usr/local/bin/lsvfs|$LSVFS|" -e '/^User=/d' lsvfs.service \
		>units/lsvfs.service
	systemd-analyze verify units/lsvfs.service >"$got" 2>&1 || :
	! grep 'lsvfs\.service:' "$got" >&2 || fail 'in lsvfs.service'
fi

# The two commands that are not run here are at least there.
for word in demo check; do
	grep -q "^    ./bootstrap $word$" "$top_srcdir/README.md" ||
		fail "README.md lacks ./bootstrap $word"
	grep -q "^$word)" "$top_srcdir/bootstrap" ||
		fail "bootstrap lacks $word"
done
# Its manuals and folders exist.
# shellcheck disable=SC2016 # what Markdown puts around code
while read -r name section; do
	[ -e "$top_srcdir/man/$name.$section" ] || fail "no man/$name.$section"
done < <(grep -o '`lsvfs[a-z.-]*([1-9])`' "$top_srcdir/README.md" |
	tr -d '`)' | tr '(' ' ')
while read -r folder; do
	[ -d "$top_srcdir/$folder" ] || fail "no $folder"
done < <(sed -n '/^## The source/,/^## /p' "$top_srcdir/README.md" |
	sed -n 's/^    \([a-z/]*\/\) .*/\1/p')
echo "$n_commands commands"
