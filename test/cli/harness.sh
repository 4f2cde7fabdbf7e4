#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The shell harness itself: a test that ends badly is seen as failed, cleans
# up after itself, and waits no longer than it must.

. "${top_srcdir:-.}/test/lib/functions.sh"

# run_case STATUS: run stdin as a test of its own in ./case.
run_case()
{
	{
		echo ". '$top_srcdir/test/lib/functions.sh'"
		cat
	} >case.sh
	expect_exit "$1" env TMPDIR="$PWD" bash case.sh >case.out 2>case.err
}

run_case 1 <<<'false; true'
run_case 1 <<<'fail because'
grep -q 'case: FAILED: because' case.err
run_case 77 <<<'requires no-such-program; exit 0'
grep -q "no-such-program" case.err
run_case 77 <<<'requires_file /no/such/file; exit 0'
run_case 1 <<<'expect_exit 3 true'
run_case 0 <<<'expect_exit 1 false'
run_case 1 <<<'echo a >a; echo b >b; same_file a b'
run_case 1 <<<'eventually 0 test -e never'
run_case 0 <<<'(sleep 0.1; : >soon) & eventually 5 test -e soon'

# The newest cleanup comes first, and with a failure, too.
run_case 1 <<<'cleanup echo "a  b"; cleanup echo c; false'
printf 'c\na  b\n' | diff - case.out

# What was started in the background is gone afterwards, a stopped one, too.
# shellcheck disable=SC2016 # it is expanded in the case
run_case 0 <<<'background sleep 1000; echo $background_pid; kill -STOP $!'
if kill -0 "$(cat case.out)" 2>/dev/null; then
	fail 'a background process outlived its test'
fi

# No scratch folder is left behind.
if compgen -G 'lsvfs-case.*' >/dev/null; then
	fail 'a scratch folder was left behind'
fi
