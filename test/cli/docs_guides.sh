#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs-guides(7) is true: its units are units, its commands run, and its
# databases come back.  (Docker, Laravel, Rails: docs_*.sh; Node and Go:
# way_node.sh, way_go.sh.)

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "${top_srcdir:-.}/test/lib/guide.sh"

[ -z "$SANITIZER" ] || skip 'env would be preloaded without the sanitizer'
requires sqlite3 python3 systemd-analyze django-admin
use_guides

# The Python that has Django, under the name that a person types.
ln -s "$(sed -n '1s/^#! *//p' "$(command -v django-admin)")" bin/python3

run check >out
grep -qx 'litestream.yml is right: 1 database' <(sed 's,.*/,,' out) ||
	fail "$(cat out)"

for unit in app lsvfs; do
	guide_file "$unit.service"
	sed -i '/^User=/d' "$unit.service"
done
verify_units ./app.service ./lsvfs.service

# A project of Django's, lost and restored.
run django >out 2>&1 || fail "$(cat out)"
grep -q '^state  *replicated$' out || fail "$(cat out)"
sqlite3 db.sqlite3 .dump >before
run django-restore >out 2>&1 || fail "$(cat out)"
sqlite3 db.sqlite3 .dump >after
same_file before after

# A container's start: with a database, and without.
guide_file entrypoint.sh
cat >app.py <<'END'
import sqlite3
db = sqlite3.connect('db.sqlite3')
with db:
    db.execute('CREATE TABLE IF NOT EXISTS start (x)')
    db.execute('INSERT INTO start VALUES (1)')
print(db.execute('SELECT count(*) FROM start').fetchone()[0])
END
start()
{
	sh entrypoint.sh python3 app.py 2>err || fail "exit $?: $(cat err)"
}
for n in 1 2 3; do
	[ "$(start | tail -n 1)" = "$n" ] || fail "start $n"
	lsvfs sync -timeout 1m db.sqlite3
	[ "$n" = 1 ] || rm -r db.sqlite3* .db.sqlite3-litestream
done
