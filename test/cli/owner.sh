#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One command by root does not lock the service's user out: what root makes in a
# directory that is a replica is the database's owner's, as beside the database.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3 setpriv
[ "$(id -u)" = 0 ] || skip 'only root can give files away'

mkdir app
sqlite3 app/app.db 'pragma journal_mode=wal; create table t(x)' >out
chown -R 4242:4343 app 2>err || skip "chown: $(cat err)"
export LSVFS_REPLICA_URL=$PWD/mnt/backup/%f

# not_given_away: what is not the owner's.
not_given_away()
{
	find app mnt ! \( -user 4242 -group 4343 \)
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
# What was there stays as it is.
chown 0:0 mnt
by_preload
[ "$(not_given_away)" = mnt ] || fail "line $LINENO: $(not_given_away)"
chown 4242:4343 mnt

# The owner goes on with it, where it reaches this build.
owner=(setpriv --reuid 4242 --regid 4343 --clear-groups)
chmod 755 .
"${owner[@]}" test -x "$LSVFS" -a -r "$PWD/app" ||
	skip 'the owner cannot reach the build'
"${owner[@]}" sqlite3 app/app.db 'insert into t values(2)'
"${owner[@]}" "$LSVFS" sync -timeout 60s app/app.db 2>err ||
	fail "the owner cannot: $(cat err)"
[ -z "$(not_given_away)" ] || fail "line $LINENO: $(not_given_away)"
same_restored app/app.db mnt/backup/app.db
