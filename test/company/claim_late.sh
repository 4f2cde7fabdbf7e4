#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The first process of a database stands still while it makes the first
# generation, alone; another one makes one instead, and only then the first one
# goes on: wherever it stood it finds that out, and follows.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires python3 sqlite3 strace

# Commits once for each line that it reads, until an empty one.
cat >writer.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
db.execute('pragma synchronous=off') # all syncs are ours
for line in iter(sys.stdin.readline, '\n'):
    db.execute(line)
    print('did', line, end='', flush=True)
db.close()
END

# Until who traces it ends.
# shellcheck disable=SC2317 # by background
stands()
{
	LSVFS_LOG=info exec strace -D -f -o trace -e trace="$2" -e signal=none \
		-e "inject=$2:delay_enter=600000000:when=$3" \
		-E LD_PRELOAD="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS" \
		python3 writer.py "$1" <to1 >out1 2>err1 8>&- 9>&-
}

# stands_at CALL NTH: a thread does.
# shellcheck disable=SC2317 # by eventually
stands_at()
{
	awk -v call="$1(" -v n="$2" \
		'index($0, call) && ++seen[$1] >= n { found = 1 }
		END { exit !found }' trace
}

tracer_of()
{
	sed -n 's/^TracerPid:[^0-9]*//p' "/proc/$1/status"
}

# late N CALL NTH: it stands at the NTH of a thread.
late()
{
	local db=$1.db local=.$1.db-litestream pid

	sqlite3 "$db" 'pragma journal_mode=wal; create table t(x);' >out
	rm -f to1
	mkfifo to1
	: >out1
	: >trace
	background stands "$db" "$2" "$3"
	pid=${background_pid:?}
	exec 8>to1
	echo 'insert into t values(1)' >&8
	eventually 60 grep -q did out1
	eventually 60 stands_at "$2" "$3"

	app_start sqlite3 -cmd '.timeout 60000' "$db"
	tell 'insert into t values(2);'
	eventually 60 is_restored "$db"
	kill_quietly "$(tracer_of "$pid")" # so it goes on
	echo 'insert into t values(3)' >&8
	eventually 60 grep -q 'did.*3' out1
	tell 'insert into t values(4);'
	eventually 60 is_restored "$db"
	echo >&8
	wait "$pid" || fail "exit $?: $(cat err1)"
	exec 8>&-
	tell 'insert into t values(5);'
	app_end
	restored "$db"
	[ "$(rows r.db)" = 5 ] || fail "$(rows r.db) rows"
	objects_are "$db" 1 1
	[ "$(cat err1 app.err | grep -c ' begins: ')" = 1 ] ||
		fail "not said once: $(cat err1 app.err)"
	[ "$(ls "backup/$db/generations")" = "$(cat "$local/generation")" ] ||
		fail "another one is current: $(cat "$local/generation")"
	[ "$(ls "$local/generations")" = "$(cat "$local/generation")" ] ||
		fail "it left $(ls "$local/generations")"
	[ -z "$(find "$local" -name '*.tmp-*')" ] ||
		fail "it left $(ls "$local")"
}
late 1 fsync 2 # of what shall be current
late 2 rename 1 # which makes it so
late 3 fsync 3 # and then it is
