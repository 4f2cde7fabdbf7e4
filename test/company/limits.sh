#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that may have no more threads, no more descriptors, no larger
# files, or a kernel's filter over it: its commits succeed, it gets no signal,
# one line says why nothing is replicated, and when it may again, all of it is
# (I5, I6).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3 strace

chmod 777 .
take_library_along

cat >limits.py <<'END_OF_PROGRAM'
import os, resource, signal, sqlite3, sys, time

limit, n = getattr(resource, sys.argv[2]), int(sys.argv[3])
hard = resource.getrlimit(limit)[1]
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it

def lower(spare):
    if limit == resource.RLIMIT_NOFILE:
        spare += os.dup(0) + 1
    resource.setrlimit(limit, (spare, hard))

if limit == resource.RLIMIT_NPROC and os.getuid() == 0:
    os.setuid(65534)  # root has no such limit
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('pragma wal_autocheckpoint=20')
lower(n)
db.execute('pragma journal_mode=wal')
db.execute('create table t(x)')
db.execute('insert into t values(1)')
for i in range(150):
    db.execute('update t set x=randomblob(100000)')
    if i % 10 == 0:
        db.execute('pragma wal_checkpoint(truncate)').fetchall()
resource.setrlimit(limit, (hard, hard))
print('done', flush=True)
for line in sys.stdin:
    db.execute('insert into t values(2)')
    print('done', flush=True)
END_OF_PROGRAM

# limited LIMIT N WHY: WHY is said once.
limited()
{
	rm -rf a.db* .a.db-litestream backup app.in
	app_start python3 limits.py a.db "$@"
	eventually 60 grep -q 'done' app.out
	eventually 60 said "$3"
	# It is a later commit that tries again.
	until is_restored a.db; do
		[ "$SECONDS" -le 300 ] || fail "$1: $(cat app.err)"
		echo >&9
		sleep 0.2
	done
	says 1 "$3"
	app_end
	restored a.db
	printf '%s: %s\n' "$1" "$(grep "$3" app.err)"
}

limited RLIMIT_NOFILE 2 'cannot share a page in .*: Too many open files'
# Of the program's own files none is so large; of ours may be, or not.
limited RLIMIT_FSIZE 4000000 'replicates to'
limited RLIMIT_NPROC 0 'cannot start the worker thread'

# A filter that does not know a system call says EPERM.
cat >idle.py <<'END_OF_PROGRAM'
import sqlite3, time
db = sqlite3.connect('b.db', isolation_level=None)
db.execute('pragma journal_mode=wal')
db.execute('create table t(x)')
time.sleep(2)
END_OF_PROGRAM
strace -f -o trace -e trace=futex_waitv -e inject=futex_waitv:error=EPERM \
	-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
	python3 idle.py
restored b.db
n=$(grep -c futex_waitv trace)
[ "$n" -le 100 ] || fail "the worker woke $n times in 2 s"

# The first thread that each thread would start cannot be had: the worker, by
# the program, and what is to take the snapshot, by the worker.
cat >threads.py <<'END_OF_PROGRAM'
import sqlite3, sys
db = sqlite3.connect('c.db', isolation_level=None)
db.execute('pragma journal_mode=wal')
db.execute('create table t(x)')
for line in sys.stdin:
    db.execute('insert into t values(1)')
END_OF_PROGRAM
mkfifo c.in
clones='?clone,?clone3'
# shellcheck disable=SC2317 # by background
threads()
{
	LSVFS_LOG=info exec strace -f -o trace -e trace="$clones" \
		-e inject="$clones:error=EAGAIN:when=1" \
		-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
		python3 threads.py <c.in 2>c.err 9>&-
}
background threads
exec 9>c.in
could()
{
	echo >&9
	sleep 0.2
	grep -q 'the worker thread could be started' c.err
}
eventually 60 could
eventually 60 is_restored c.db
[ "$(grep -c 'cannot start a thread for uploads' c.err)" = 1 ] ||
	fail "not said once: $(cat c.err)"
exec 9>&-
wait "${background_pid:?}" || fail "exit $?: $(cat c.err)"
