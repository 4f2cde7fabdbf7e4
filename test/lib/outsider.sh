# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
#
# lsvfs replicate beside programs that know nothing of us; after functions.sh.
#
#	start ARGUMENT...    in the background, once it works: $replicate_pid
#	stop STATUS          it ends with that
#	writer.py DB N       commits N rows, one after the other, in one connection

: "${LSVFS:?}"

requires sqlite3 python3

# As any program does that has company: it waits where somebody is at it.
sqlite3()
{
	command sqlite3 -cmd '.timeout 60000' "$@"
}
export -f sqlite3
cat >writer.py <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
for i in range(int(sys.argv[2])):
    db.execute('INSERT INTO t VALUES(?, ?)', (i, 'x' * 500))
END

start()
{
	background "$LSVFS" replicate "$@" 2>replicate.log
	replicate_pid=$background_pid
	eventually 20 grep -Eq 'replicates to|waits for' replicate.log
}

stop()
{
	local status=0

	kill -TERM "$replicate_pid"
	wait "$replicate_pid" || status=$?
	[ "$status" = "$1" ] ||
		fail "exit $status, expected $1: $(cat replicate.log)"
}
