#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the committing thread asks of the kernel for one commit: nothing more than
# without us (a write less, where several become one), and at most one futex
# wake (I5).  With WAL and synchronous NORMAL
# and FULL; a worker that sleeps must be woken, so each commit comes after a
# quiet spell.  (On a loaded machine it may not have been long enough for the
# worker, and a mutex shows as a futex more: most commits are looked at.)

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

requires python3 strace

n_commits=6
python=$(python3 -c 'import sys; print(sys.executable)') # behind any shim
cat >commits.py <<END
import os, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('pragma journal_mode=wal').fetchall()
db.execute('pragma synchronous=' + sys.argv[2])
db.execute('create table t(x)')
for i in range($n_commits):
    db.execute("insert into t values('warm')")
    time.sleep(0.05)
for i in range($n_commits):
    os.access('/a-commit-begins', 0)
    db.execute("insert into t values('one')")
    os.access('/a-commit-ends', 0)
    time.sleep(0.05)
END

# trace NAME PRELOADED COMMAND...: NAME.N has the system calls of the Nth commit, one a
# line, without their arguments; those of other threads are not in it.
trace()
{
	local name=$1 preloaded=$2
	shift 2

	strace -ff -o "$name.trace" -E LD_PRELOAD="$preloaded" "$@" \
		>out 2>err || fail "strace: exit $?: $(cat err)"
	awk -v name="$name" '
		/a-commit-ends/ { inside = 0; close(file) }
		inside { sub(/\(.*/, ""); print >file }
		/a-commit-begins/ { inside = 1; file = name "." ++n
			printf "" >file }' "$(grep -l a-commit-begins "$name".trace.*)"
	[ -e "$name.$n_commits" ] || fail "$name: no trace of $n_commits commits"
}

for mode in normal full; do
	trace "$mode-bare" '' "$python" commits.py bare.db $mode
	trace "$mode-ours" "$LIBLSVFS" "$python" commits.py a.db $mode
	catch_up a.db
	restored a.db
	rm -rf a.db* bare.db* .a.db-litestream backup
	[ -s "$mode-bare.1" ] || fail "a commit without a system call"
	n_same=0
	: >differ
	for ((i = 1; i <= n_commits; i++)); do
		futexes=$(grep -c '^futex$' "$mode-ours.$i" || :)
		grep -v '^futex$' "$mode-ours.$i" >ours || :
		sort "$mode-bare.$i" >bare
		if [ "$futexes" -le 1 ] &&
			[ -z "$(sort ours | comm -13 bare -)" ]; then
			n_same=$((n_same + 1))
		else
			diff "$mode-bare.$i" "$mode-ours.$i" >>differ || :
		fi
	done
	[ $((2 * n_same)) -gt "$n_commits" ] ||
		fail "$mode: $n_same of $n_commits commits no dearer: $(cat differ)"
	printf '%s: %s; with us %s in %s commits beside\n' "$mode" \
		"$(sort "$mode-bare.1" | uniq -c | xargs)" \
		"$(cat "$mode-ours".[0-9]* | grep -c '^futex$') futex" $n_commits
done
