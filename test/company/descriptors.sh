#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A program that closed its stdin, stdout and stderr, and prints all the same:
# none of our files is ever where those were, neither for what it prints nor
# for what it opens there.  (SQLite itself leaves /dev/null there.)

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3

LSVFS_OPTIONS+=' sync-interval=10ms snapshot-interval=100ms'

cat >closed.py <<'END_OF_PROGRAM'
import os, sqlite3, sys, time

told = open(sys.argv[2], 'w', buffering=1)
if sys.argv[1] == 'before':
    os.closerange(0, 3)
db = sqlite3.connect('a.db', isolation_level=None)
db.execute("insert into t values('first')")
for i in range(300):
    # Again and again, since SQLite's /dev/null would be in our way.
    if sys.argv[1] == 'after' and i % 10 == 0:
        os.closerange(0, 3)
    for fd in range(3):
        try:
            os.write(fd, b'printed')
        except OSError:
            pass
        try:
            path = os.readlink('/proc/self/fd/%d' % fd)
            if path != '/dev/null':
                told.write('%d is %s\n' % (fd, path))
        except OSError:
            pass
    db.execute('insert into t values(randomblob(3000))')
    time.sleep(0.003)
END_OF_PROGRAM

for when in before after; do
	rm -rf a.db* .a.db-litestream backup
	sqlite3 a.db 'pragma journal_mode=wal; create table t(x)' >out
	LSVFS_LOG=off preload python3 closed.py $when $when.told
	# For a moment, where it comes from open(); it does not stay.
	[ "$(wc -l <$when.told)" -le 60 ] ||
		fail "closed $when: $(sort $when.told | uniq -c)"
	restored a.db
done

# The same of a restore: what it says is not in the database.
for closed in '>&-' '2>&-' '<&- >&- 2>&-'; do
	rm -rf closed.db
	# What it cannot print is an error.
	eval '"$LSVFS_RESTORE" -o closed.db backup/a.db' "$closed" || :
	same_file closed.db r.db
done
