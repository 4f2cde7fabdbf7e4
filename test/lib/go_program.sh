# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
#
# A program that tests need, built from its Go module once and kept outside the
# tree, in ${XDG_CACHE_HOME:-~/.cache}/lsvfs-test.  Who reads this has set
#
#	program   its name, also of the package's binary
#	module    whose version the binary carries
#	package   what is installed
#	version   "v0.3.13"
#	go_minor  Go 1.N at least
#	cgo       1: it wants the C compiler; 0
#	flags     an array: of 'go install'
#
# and calls go_program, which prints its path; exit 77, with a line that says
# what is missing, where it cannot be built.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test
binary=$cache/$program-$version

missing()
{
	echo "${0##*/}: cannot build $program $version: $*" >&2
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
	[ "$cgo" = 0 ] || command -v "$(go env CC)" >/dev/null ||
		missing "Go needs the C compiler '$(go env CC)'"
}

build()
{
	local temp

	temp=$(mktemp -d "$cache/build.XXXXXX")
	# shellcheck disable=SC2064 # $temp as it is now
	trap "rm -rf '$temp'" EXIT
	echo "${0##*/}: building $program $version (some minutes)" >&2
	GOBIN=$temp CGO_ENABLED=$cgo \
		go install "${flags[@]}" "$package@$version" >"$temp/log" 2>&1 || {
		tail -n 20 "$temp/log" >&2
		missing "'go install' failed"
	}
	mv "$temp/$program" "$binary"
}

go_program()
{
	mkdir -p "$cache"
	# Tests run beside each other; one of them builds.
	exec 9>"$cache/lock-$program-$version"
	flock 9
	is_it || {
		check_go
		build
		is_it || missing 'what was built is not that version'
	}
	echo "$binary"
}
