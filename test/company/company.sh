# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of several processes on one database share; after
# functions.sh and ways.sh.  Replicas are in $PWD/backup/<database>.

LSVFS_REPLICA_URL=$PWD/backup/%f
# A loaded machine may take long, and what a program left at its exit is what
# some of the tests look at.
LSVFS_OPTIONS=shutdown-sync-timeout=60s
export LSVFS_REPLICA_URL LSVFS_OPTIONS

# take_library_along: it is in the current folder from here on, where a program
# without privileges reaches it.
take_library_along()
{
	mkdir lib
	cp -L "$LIBLSVFS" "$(dirname "$LIBLSVFS")/lsvfs-engine.so" lib/
	chmod -R a+rX lib
	LIBLSVFS=$PWD/lib/$(basename "$LIBLSVFS")
}

# make_writer: writer.py says its process id, then commits once in a.db for each
# line that it reads.
make_writer()
{
	cat >writer.py <<-'END'
		import os, sqlite3, sys
		print(os.getpid(), flush=True)
		db = sqlite3.connect('a.db', timeout=60, isolation_level=None)
		for line in sys.stdin:
		    db.execute(line)
		    print('did', line, end='', flush=True)
		db.close()
	END
}

# checkpointed DB: kept/DB is what SQLite itself makes of DB and its WAL.
checkpointed()
{
	rm -rf kept
	mkdir kept
	cp "$1" kept/
	if [ -e "$1-wal" ]; then
		cp "$1-wal" kept/
	fi
	sqlite3 "kept/$1" 'pragma wal_checkpoint(truncate)' >checkpoint.log
}

# restore DB: r.db is what the replica has.
restore()
{
	rm -rf r.db r.db-wal r.db-shm .r.db-litestream
	"$LSVFS_RESTORE" -o r.db "$PWD/backup/$1" >restore.log 2>&1 ||
		fail "lsvfs-restore: exit $?: $(cat restore.log)"
}

# restored DB: fail unless the replica has DB as it is now, to the byte.
restored()
{
	checkpointed "$1"
	restore "$1"
	same_file "kept/$1" r.db
}

# is_restored DB: the same, as a question.
is_restored()
{
	checkpointed "$1"
	rm -rf r.db .r.db-litestream
	"$LSVFS_RESTORE" -o r.db "$PWD/backup/$1" >restore.log 2>&1 &&
		cmp -s "kept/$1" r.db
}

# catch_up DB: wait until all of it is on the replica; from outside.
catch_up()
{
	"$LSVFS" sync -timeout 60s "$1" 2>sync.log ||
		fail "lsvfs sync: exit $?: $(cat sync.log)"
}

# objects DB WHAT: how many generations, snapshots or segments there are.
objects()
{
	local root=backup/$1

	case $2 in
	generations) find "$root/generations" -mindepth 1 -maxdepth 1 ;;
	snapshots) find "$root" -name '*.snapshot.*' ;;
	segments) find "$root" -name '*.wal.*' ;;
	esac | wc -l
}

# objects_are DB GENERATIONS SNAPSHOTS
objects_are()
{
	local got

	got="$(objects "$1" generations) $(objects "$1" snapshots)"
	[ "$got" = "$2 $3" ] ||
		fail "generations and snapshots are $got, expected $2 $3"
}

# bytes DB: how many the replica has.
bytes()
{
	find "backup/$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'
}

# calls DB: how often the leader was called, as the page that all share counts.
calls()
{
	od -An -tu4 -j128 -N4 ".$1-litestream/coord"
}

# is_left_alone DB: nobody calls the leader in a second.
is_left_alone()
{
	local before

	before=$(calls "$1")
	sleep 1
	[ "$(calls "$1")" = "$before" ]
}

# rows DB: of its table t.
rows()
{
	sqlite3 "$1" 'select count(*) from t'
}

#
# An application that goes on: a shell, preloaded, that is told what to do.
# One at a time; its output is in app.out, what it says in app.err.
#

# app_start COMMAND...: how it is started; a program and its database.
app_start()
{
	rm -f app.in
	mkfifo app.in
	app_turns=0
	: >app.out
	: >app.err
	# shellcheck disable=SC2317 # by background
	app_run()
	{
		LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS \
		LSVFS_LOG=info exec "$@" <app.in >app.out 2>app.err 9>&-
	}
	background app_run "$@"
	app_pid=${background_pid:?}
	exec 9>app.in
}

# tell SQL: and wait until it is done.
tell()
{
	app_turns=$((app_turns + 1))
	printf '%s\n' "$1" "select 'did ' || $app_turns;" >&9
	eventually 60 grep -qx "did $app_turns" app.out
}

# commits N: so many transactions, all of which succeed.
commits()
{
	tell "$(yes 'insert into t(x) values(randomblob(3000));' |
		head -n "$1")"
	! grep -v '^did ' app.out | grep -v '^wal$' ||
		fail "printed $(cat app.out)"
}

# said WORDS: whether it said that.
said()
{
	grep -q "$1" app.err
}

# says N WORDS: how many lines have them.
says()
{
	local n

	n=$(grep -c "$2" app.err || :)
	[ "$n" = "$1" ] || fail "$n lines with '$2': $(cat app.err)"
}

app_end()
{
	exec 9>&-
	wait "$app_pid" || fail "exit $?: $(cat app.err)"
}
