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

program=${1:?usage: servers.sh minio|versitygw}
case $program in
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
	echo "servers.sh: no server is called '$program'" >&2
	exit 2
	;;
esac
go_minor=24
cgo=0
flags=(-ldflags='-s -w')
export GOFLAGS=-mod=mod

# shellcheck source=test/lib/go_program.sh
. "$(dirname "$0")/../lib/go_program.sh"
go_program
