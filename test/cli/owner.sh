#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One command by root does not lock the service's user out: what root makes in a
# directory that is a replica is the database's owner's, as beside the database.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 setpriv

# Where everybody can reach it, with the command in it.
chmod 755 .
mkdir app bin
cp -L "$LSVFS" bin/
LSVFS=$PWD/bin/$(basename "$LSVFS")

# Only root can give files away: what is anybody else's stays theirs.
user=$(id -u) group=$(id -g)
owner=()
[ "$user" != 0 ] || {
	user=4242 group=4343
	owner=(setpriv --reuid "$user" --regid "$group" --clear-groups)
}
sqlite3 app/app.db 'pragma journal_mode=wal; create table t(x)' >out
chown -R "$user:$group" app
export LSVFS_REPLICA_URL=$PWD/mnt/backup/%f

# not_given_away: what is not the owner's.
not_given_away()
{
	find app mnt ! \( -user "$user" -group "$group" \)
}

# by_sync, by_preload: a commit of root's goes to the replica.
by_sync()
{
	"$LSVFS" sync -timeout 60s app/app.db
}

by_preload()
{
	LSVFS_OPTIONS=shutdown-sync-timeout=60s preload sqlite3 app/app.db \
		'insert into t values(1)'
}

for way in by_sync by_preload; do
	"$way"
	[ -n "$(find mnt -name '*.lz4')" ] || fail "$way: nothing was put"
	[ -z "$(not_given_away)" ] || fail "$way: $(not_given_away)"
	same_restored app/app.db mnt/backup/app.db
done

# The owner goes on with it, where no folder above keeps it out.
"${owner[@]}" test -r "$PWD/app/app.db" || {
	echo "the owner cannot reach $PWD"
	exit 0
}
"${owner[@]}" sqlite3 app/app.db 'insert into t values(2)'
"${owner[@]}" "$LSVFS" sync -timeout 60s app/app.db 2>err ||
	fail "the owner cannot: $(cat err)"
[ -z "$(not_given_away)" ] || fail "line $LINENO: $(not_given_away)"
same_restored app/app.db mnt/backup/app.db
[ "${#owner[@]}" -gt 0 ] || exit 0

# What was there stays as it is.
chown 0:0 mnt
by_preload
[ "$(not_given_away)" = mnt ] || fail "line $LINENO: $(not_given_away)"
