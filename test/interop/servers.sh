#!/bin/bash
# SPDX-License-Identifier: MIT
#
# servers.sh minio|versitygw: prints the path of that S3 server, built from its
# Go module once and kept outside the tree, in
# ${XDG_CACHE_HOME:-~/.cache}/lsvfs-test.  Exit 77, with a line that says what
# is missing, where it cannot be built.
#
#	minio=$("$top_srcdir/test/interop/servers.sh" minio) || exit $?

set -eu -o pipefail

server=${1:?usage: servers.sh minio|versitygw}
case $server in
minio)
	module=github.com/minio/minio
	package=$module
	version=v0.0.0-20260212201848-7aac2a2c5b7c
	;;
versitygw)
	module=github.com/versity/versitygw
	package=$module/cmd/versitygw
	version=v1.7.0
	;;
*)
	echo "servers.sh: no server is called '$server'" >&2
	exit 2
	;;
esac
go_minor=24

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test
binary=$cache/$server-$version

missing()
{
	echo "servers.sh: cannot build $server $version: $*" >&2
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
}

build()
{
	local temp

	temp=$(mktemp -d "$cache/build.XXXXXX")
	# shellcheck disable=SC2064 # $temp as it is now
	trap "rm -rf '$temp'" EXIT
	echo "servers.sh: building $server $version (some minutes)" >&2
	GOBIN=$temp CGO_ENABLED=0 GOFLAGS=-mod=mod \
		go install -ldflags='-s -w' "$package@$version" \
		>"$temp/log" 2>&1 || {
		tail -n 20 "$temp/log" >&2
		missing "'go install' failed"
	}
	mv "$temp/$server" "$binary"
}

mkdir -p "$cache"
# Tests run beside each other; one of them builds.
exec 9>"$cache/lock-$server-$version"
flock 9
is_it || {
	check_go
	build
	is_it || missing 'what was built is not that version'
}
echo "$binary"
