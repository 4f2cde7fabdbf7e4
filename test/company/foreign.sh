#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What is done to a database without us, or outside of WAL mode: VACUUM, another
# journal mode, another file in its place, a backup put back over it, a WAL that
# is gone.  Each begins a new generation with a snapshot, one line says why, and
# what is restored is what is there (I3).

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3

shell()
{
	preload sqlite3 a.db "$@" >>out 2>>err ||
		fail "exit $?: $*: $(cat err)"
}

# fresh NAME: a database with one generation, in a folder of its own.
fresh()
{
	name=$1
	mkdir "$name"
	cd "$name"
	export LSVFS_REPLICA_URL=$PWD/backup/%f LSVFS_LOG=error
	shell 'pragma journal_mode=wal; create table t(id integer primary key, x);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
insert into t(x) select randomblob(500) from n'
	shell 'delete from t where id % 3 = 0'
	objects_are a.db 1 1
	restored a.db
	cp a.db backup.db
	shell 'insert into t(x) values(randomblob(5000))'
	export LSVFS_LOG=info
}

# noticed REASON: at the next commit through us.
noticed()
{
	: >err
	shell "insert into t(x) values('through us')"
	[ "$(grep -c "generation .* begins: $1" err)" = 1 ] ||
		fail "$name: said $(cat err)"
	[ "$(grep -vc ': replicates to ' err)" = 1 ] ||
		fail "$name: said $(cat err)"
	restored a.db
	objects_are a.db 2 2
	shell "insert into t(x) values('and again')"
	restored a.db
	objects_are a.db 2 2
	[ "$(sqlite3 r.db 'pragma integrity_check')" = ok ] ||
		fail "$name: what is restored is malformed"
	printf '%s: %s\n' "$name" "$(sed -n 's/.* begins: //p' err)"
	cd ..
}
without_us='it was written to or checkpointed without us'

fresh vacuum
sqlite3 a.db vacuum
noticed "$without_us"

fresh vacuum-through-us
: >err
shell vacuum
! grep -v ': replicates to ' err || fail "said $(cat err)"
restored a.db
objects_are a.db 1 1
cd ..

fresh delete-mode
sqlite3 a.db "pragma journal_mode=delete; insert into t(x) values('plain')" \
	>>out
sqlite3 a.db 'pragma journal_mode=wal' >>out
noticed "$without_us"

# Whoever leaves WAL mode does not wait at its end for what never comes.
fresh delete-mode-through-us
: >err
shell "pragma journal_mode=delete; insert into t(x) values('plain')"
! grep 'exits before' err || fail 'it waited'
expect_exit 2 "$LSVFS" status a.db >told
shell 'pragma journal_mode=wal'
noticed "$without_us"

fresh swapped
sqlite3 b.db 'pragma journal_mode=wal;
create table t(id integer primary key, x); create table other(y);
insert into other values(1)' >>out
rm -f a.db a.db-wal a.db-shm
mv b.db a.db
noticed "$without_us"

fresh put-back
cp backup.db a.db
noticed "$without_us"

# As a person does it who does not know of WALs: while a program was killed.
# Not while it captures: then what it has of its pages may be the reason.
fresh put-back-over-wal
# shellcheck disable=SC2016 # $PPID is of the shell inside
preload sqlite3 a.db "insert into t(x) values('killed')" \
	'pragma lsvfs_sync' '.shell kill -KILL $PPID' >>out 2>>err || :
[ -s a.db-wal ] || fail "no WAL is left"
rm -f a.db-wal a.db-shm
cp backup.db a.db
noticed "$without_us"

# The page size is another.
fresh page-size
sqlite3 a.db 'pragma journal_mode=delete; pragma page_size=1024; vacuum;
pragma journal_mode=wal' >>out
noticed '\(its page size changed\|it was written to .* without us\)'

mkdir never-begun
cd never-begun
: >err
shell 'pragma journal_mode=wal; create table t(x); pragma journal_mode=delete'
! grep 'exits before' err || fail 'it waited'
