#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An application that never checkpoints has a bounded WAL (design.md section
# 6).  Here it must have been reset twice within 512 MB of frames, on
# whatever machine; how large it is at most, a bench measures.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3

cat >writer.py <<'END'
import os, sqlite3, sys
db = sqlite3.connect('a.db', isolation_level=None)
db.execute('pragma journal_mode=wal').fetchall()
db.execute('pragma wal_autocheckpoint=0').fetchall()
db.execute('pragma synchronous=normal')
db.execute('create table t(id integer primary key, x)')
db.execute('create index i on t(x)')
wal = open('a.db-wal', 'rb', buffering=0)
salts, most, i = set(), 0, 0
while len(salts) < 3 and i < 64000:     # two frames each
    db.execute('insert into t(x) values(?)', (i * 7919 % 1000003,))
    i += 1
    if i % 50 == 0:
        salts.add(os.pread(wal.fileno(), 8, 16))
        most = max(most, os.fstat(wal.fileno()).st_size)
if len(salts) < 3:
    sys.exit('%d resets in %d commits' % (len(salts) - 1, i))
print(i, 'commits, 2 resets,', most >> 20, 'MB of WAL at most')
END
preload python3 writer.py 2>err || fail "exit $?: $(cat err)"
[ ! -s err ] || fail "said $(cat err)"
catch_up a.db
restored a.db
