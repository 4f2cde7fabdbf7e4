# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What every shell test begins with:
#
#	. "${top_srcdir:-.}/test/lib/functions.sh"
#
# It gives a scratch folder that is the current one and goes away at the end,
# and `set -eu -o pipefail`.  The environment comes from Makefile.am
# (AM_TESTS_ENVIRONMENT); a test run by hand in the build folder finds the
# same by the defaults here.  Exit 0: passed, 77: skipped, else: failed.

set -eu -o pipefail

: "${top_srcdir:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${top_builddir:=$PWD}"
: "${LSVFS_RESTORE:=$top_builddir/lsvfs-restore}"
: "${LSVFS:=$top_builddir/lsvfs}"
: "${LIBLSVFS:=$top_builddir/.libs/liblsvfs.so}"
: "${SANITIZER:=}"
export top_srcdir top_builddir LSVFS_RESTORE LSVFS LIBLSVFS SANITIZER

test_name=$(basename "$0" .sh)

# cleanup COMMAND...: run it when the test ends, however it ends; the newest
# first.
cleanup_commands=()
cleanup()
{
	cleanup_commands+=("$(printf '%q ' "$@")")
}

run_cleanup()
{
	local status=$? i

	trap - EXIT INT TERM HUP
	set +e
	for ((i = ${#cleanup_commands[@]} - 1; i >= 0; i--)); do
		eval "${cleanup_commands[i]}"
	done
	exit "$status"
}
trap run_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# kill_quietly PID [SIGNAL]: end a process of ours and wait until it is gone.
kill_quietly()
{
	kill -"${2:-KILL}" "$1" 2>/dev/null || return 0
	# It may be gone, and reaped, by now.
	kill -CONT "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# background COMMAND...: start it, leave its id in $background_pid, end it
# with the test.
background()
{
	"$@" &
	background_pid=$!
	cleanup kill_quietly "$background_pid"
}

fail()
{
	printf '%s: FAILED: %s\n' "$test_name" "$*" >&2
	exit 1
}

skip()
{
	printf '%s: skipped: %s\n' "$test_name" "$*" >&2
	exit 77
}

# requires PROGRAM...: skip the test without them.
requires()
{
	local program

	for program; do
		command -v "$program" >/dev/null ||
			skip "'$program' is not installed"
	done
}

# requires_file PATH...: the same for files.
requires_file()
{
	local file

	for file; do
		[ -e "$file" ] || skip "'$file' is not there"
	done
}

# eventually SECONDS COMMAND...: wait until COMMAND succeeds; fail the test
# when it does not within SECONDS.  Never sleep for a result: this returns as
# soon as it is there.
eventually()
{
	local seconds=$1 deadline
	shift

	deadline=$((SECONDS + seconds))
	until "$@"; do
		[ "$SECONDS" -le "$deadline" ] ||
			fail "not within $seconds s: $*"
		sleep 0.02
	done
}

# expect_exit STATUS COMMAND...: fail unless COMMAND exits so.
expect_exit()
{
	local expected=$1 status=0
	shift

	"$@" || status=$?
	[ "$status" = "$expected" ] ||
		fail "exit $status, expected $expected: $*"
}

# same_file A B: fail unless both have the same bytes.
same_file()
{
	cmp "$1" "$2" >&2 || fail "'$1' and '$2' differ"
}

# same_content A B: fail unless both databases have the same content.
same_content()
{
	sqlite3 "$1" .dump >expected.sql
	sqlite3 "$2" .dump >restored.sql
	same_file expected.sql restored.sql
}

# same_restored DB REPLICA: restored.db is what the replica has; fail unless
# that is what the database has.
same_restored()
{
	rm -rf restored.db .restored.db-litestream
	"$LSVFS_RESTORE" -o restored.db "$2" >restore.log 2>&1 ||
		fail "cannot restore: $(cat restore.log)"
	same_content "$1" restored.db
}

# is_replicated DB: whether every commit is on every replica; status.txt: what
# the status says.
is_replicated()
{
	"$LSVFS" status -max-lag 0s "$1" >status.txt 2>&1
}

# litestream=$(stock 0.3.13): the path of stock Litestream; without it the test
# is skipped.
stock()
{
	"$top_srcdir/test/interop/stock.sh" "$1" || exit $?
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/lsvfs-$test_name.XXXXXX")
cleanup rm -rf "$scratch"
cd "$scratch"
