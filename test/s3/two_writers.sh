#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two writers on one prefix: a database that was copied together with its
# local folder, as when a machine is cloned, one that was moved, and one that
# was restored on another machine.  One of them goes on, the other one stops
# and says who is in its way; -takeover turns that round; the history on the
# replica stays one.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
export LSVFS_LOG=info LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=30s'

# write DB SEED UNTIL: each commit succeeds, whoever has the replica.
write()
{
	"$scribe" "$@" >>committed 2>>writer.log ||
		fail "a commit failed: $(cat writer.log)"
}

goes_on()
{
	"$LSVFS" sync -timeout 300s "$@" >sync.log 2>&1 ||
		fail "cannot sync $*: $(cat sync.log)"
}

# stops DB OTHER: it says so, and names both.
stops()
{
	status=0
	"$LSVFS" sync -timeout 300s "$1" >sync.log 2>&1 || status=$?
	[ "$status" = 1 ] || fail "sync $1: exit $status: $(cat sync.log writer.log)"
	grep -q "belongs to $PWD/$2 on $(hostname)" sync.log ||
		fail "does not name $2: $(cat sync.log)"
	grep -q "this is $PWD/$1 on $(hostname)" sync.log ||
		fail "does not name $1: $(cat sync.log)"
	grep -q 'lsvfs sync -takeover' sync.log || fail 'no remedy'
	! "$LSVFS" status "$1" >status.txt 2>&1 ||
		fail "status: $(cat status.txt)"
}

# holds DB: what is restored is that.
holds()
{
	forget restored.db
	"$LSVFS_RESTORE" -o restored.db "$url" >restore.log 2>&1 ||
		fail "cannot restore: $(cat restore.log)"
	sqlite3 "file:$1?immutable=1" .dump >expected.txt
	sqlite3 restored.db .dump >restored.txt
	same_file expected.txt restored.txt
}

# settle DB: all of it is in the one file (which is read beside its owner).
settle()
{
	"$scribe" "$1" 0 0
}

# copy FOLDER TO: whoever has the copy goes on in the same generation.  That it
# may is found by reading all of it, for which a program that writes and ends at
# once leaves no time.
copy()
{
	cp -a "$1" "$2"
	goes_on "$2/app.db"
}

has_objects()
{
	local n

	n=$(find "$scratch/store/bkt/$name/generations" -name "$2" | wc -l)
	[ "$n" = "$1" ] || fail "$n of $2, not $1"
}

# A copy that comes second.
play second
mkdir a
write a/app.db 7 10
goes_on a/app.db
copy a b
write a/app.db 7 20
goes_on a/app.db
write b/app.db 8 20
stops b/app.db a/app.db
holds a/app.db
write a/app.db 7 30
goes_on a/app.db
holds a/app.db
write b/app.db 8 30
stops b/app.db a/app.db
has_objects 1 '*.snapshot.*'

# It is told to take over: the first one stops.
goes_on -takeover b/app.db
holds b/app.db
write a/app.db 7 40
stops a/app.db b/app.db
holds b/app.db
write b/app.db 8 40
goes_on b/app.db
holds b/app.db
has_objects 2 '*.snapshot.*'
played

# A copy that comes first.
play first
mkdir a
write a/app.db 7 10
goes_on a/app.db
copy a b
write b/app.db 8 20
goes_on b/app.db
write a/app.db 7 20
stops a/app.db b/app.db
holds b/app.db
has_objects 1 '*.snapshot.*'
played

# What was moved goes on.
play moved
mkdir a
write a/app.db 7 10
goes_on a/app.db
mv a c
write c/app.db 7 20
goes_on c/app.db
holds c/app.db
has_objects 1 '*.snapshot.*'
played

# One that was restored elsewhere has another lineage.  It is refused, takes
# over while the first one is at work, and that one stops.
play restored
mkdir a
LSVFS_OPTIONS="$LSVFS_OPTIONS snapshot-interval=1s" \
	background "$scribe" -pause 30000 a/app.db 7 100000 >>committed \
	2>>writer.log
writer=$background_pid
eventually 60 has_committed 10
has_restored()
{
	mkdir -p n
	forget n/app.db
	"$LSVFS_RESTORE" -o n/app.db "$url" >restore.log 2>&1
}
eventually 60 has_restored
write n/app.db 8 100
stops n/app.db a/app.db
goes_on -takeover n/app.db
is_stopped()
{
	"$LSVFS" status a/app.db >status.txt 2>&1
	[ $? = 2 ] && grep -q "$PWD/n/app.db" status.txt
}
eventually 120 is_stopped
n=$(tail -n 1 committed)
eventually 60 has_committed $((n + 20))
kill_quietly "$writer"
write n/app.db 8 $((n + 200))
goes_on n/app.db
holds n/app.db
played
