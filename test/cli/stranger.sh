#!/bin/bash
# SPDX-License-Identifier: MIT
#
# I3: what came without us begins a new generation, and a chain never crosses
# the gap: a stranger's commits, another journal mode and back, a replica that
# lost what it had.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires sqlite3

export LSVFS_REPLICA_URL="$PWD/replica/%f"

ours() {
	preload sqlite3 "$@" >out 2>err || fail "$(cat err)"
}

# same FILE GENERATIONS: its replica restores to it, by so many generations.
same() {
	rm -rf restored.db
	"$LSVFS_RESTORE" -o restored.db "replica/$1" >out 2>err ||
		fail "$1: $(cat err)"
	cmp "$1" restored.db || fail "$1 is not what was committed"
	n=$(find "replica/$1/generations" -mindepth 1 -maxdepth 1 | wc -l)
	[ "$n" -eq "$2" ] || fail "$1: $n generations, not $2"
}

# A stranger, when the generation is a snapshot alone: there was no WAL whose
# salts could tell.
ours a.db 'pragma journal_mode=wal; create table t(x); insert into t values(8)'
ours a.db 'select 1'
same a.db 1
sqlite3 a.db 'insert into t values(9)'
"$LSVFS" sync -timeout 20s a.db || fail "sync of a.db"
same a.db 2
ours a.db 'insert into t values(10)'
same a.db 2

# Out of WAL mode and back in, both through us.
ours b.db 'pragma journal_mode=wal; create table t(x); insert into t values(8)'
ours b.db 'insert into t values(9)'
ours b.db "pragma journal_mode=delete; create table big(y);
	with recursive n(i) as (select 1 union all select i+1 from n
		where i < 100)
	insert into big select hex(randomblob(500)) from n"
"$LSVFS" status b.db >out && fail "status of b.db is fine: $(cat out)"
grep -q 'not in WAL mode' out || fail "$(cat out)"
ours b.db 'pragma journal_mode=wal; insert into t values(12)'
same b.db 2

# The replica is gone while nobody looks.
ours c.db 'pragma journal_mode=wal; create table t(x); insert into t values(8)'
rm -rf replica/c.db
ours c.db 'insert into t values(9)'
"$LSVFS" sync -timeout 20s c.db || fail "sync of c.db"
same c.db 1
