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
program=litestream
module=github.com/benbjohnson/litestream
package=$module/cmd/litestream
go_minor=26 # 0.5.18 needs Go 1.26
cgo=1
flags=()

# shellcheck source=test/lib/go_program.sh
. "$(dirname "$0")/../lib/go_program.sh"
go_program
