#!/bin/bash
# SPDX-License-Identifier: MIT
#
# stock.sh VERSION: prints the path of stock Litestream of that version
# ("0.3.13"), built from its Go module once and kept outside the tree, in
# ${XDG_CACHE_HOME:-~/.cache}/lsvfs-test.  Exit 77, with a line that says what
# is missing, where it cannot be built.
#
#	litestream=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?

set -eu -o pipefail

version=${1:?usage: stock.sh VERSION}
version=v${version#v}
module=github.com/benbjohnson/litestream
go_minor=26 # 0.5.18 needs Go 1.26

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test
binary=$cache/litestream-$version

missing()
{
	echo "stock.sh: cannot build stock Litestream $version: $*" >&2
	exit 77
}

# A binary of Go carries its module's version.
is_it()
{
	[ -x "$binary" ] &&
		LC_ALL=C grep -aqP "mod\t\Q$module\E\t\Q$version\E\t" "$binary"
}

check_go()
{
	local found

	command -v go >/dev/null ||
		missing "Go 1.$go_minor or newer is not on PATH"
	found=$(go env GOVERSION)
	[[ $found =~ ^go1\.([0-9]+) ]] ||
		missing "'go env GOVERSION' says '$found'"
	[ "${BASH_REMATCH[1]}" -ge "$go_minor" ] ||
		missing "$found is on PATH, Go 1.$go_minor or newer is needed"
	command -v "$(go env CC)" >/dev/null ||
		missing "Go needs the C compiler '$(go env CC)'"
}

build()
{
	local temp

	temp=$(mktemp -d "$cache/build.XXXXXX")
	# shellcheck disable=SC2064 # $temp as it is now
	trap "rm -rf '$temp'" EXIT
	echo "stock.sh: building Litestream $version (a minute or two)" >&2
	GOBIN=$temp CGO_ENABLED=1 \
		go install "$module/cmd/litestream@$version" >"$temp/log" 2>&1 || {
		tail -n 20 "$temp/log" >&2
		missing "'go install' failed"
	}
	mv "$temp/litestream" "$binary"
}

mkdir -p "$cache"
# Tests run beside each other; one of them builds.
exec 9>"$cache/lock-$version"
flock 9
is_it || {
	check_go
	build
	is_it || missing 'what was built is not that version'
}
echo "$binary"
