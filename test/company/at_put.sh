#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The leader has closed the database and is at a put that takes long.  Another
# program commits, beside a reader without us, and ends; its commit is in no
# shadow yet.  lsvfs sync that is called then does not take what is put for all
# that there is.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 python3 strace

# An empty line closes it; it lives on.
cat >closes.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    if line == '\n':
        db.close()
        print('closed', flush=True)
    else:
        for row in db.execute(line):
            print(row[0], flush=True)
END
preload sqlite3 a.db 'pragma journal_mode=wal; create table t(x)' >out 2>&1
mkfifo in
# shellcheck disable=SC2317 # by background
reader()
{
	exec sqlite3 a.db <&8 >reader.out
}
exec 8<>in
background reader
echo 'select count(*) from t;' >&8
eventually 60 grep -qx '[0-9]*' reader.out

ours="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS"
LIBLSVFS='' app_start strace -f -o trace -e trace=link,linkat \
	-e inject=link,linkat:delay_enter=3000000 \
	-E LD_PRELOAD="$ours" python3 closes.py a.db

# is_at_put: what will be a segment is written, and has no name yet.
is_at_put()
{
	[ -n "$(find backup -name '.lsvfs-tmp-*')" ]
}

tell 'insert into t values(1);'
eventually 60 is_at_put
echo >&9
eventually 60 grep -qx closed app.out
preload sqlite3 -cmd '.timeout 60000' a.db \
	'insert into t values(2)' >out 2>&1
is_at_put || echo 'the put was over too soon to tell'
catch_up a.db
restored a.db
app_end
restored a.db
objects_are a.db 1 1
