#!/bin/bash
# SPDX-License-Identifier: MIT
#
# 'syslog: true' in the configuration file: what a program and lsvfs replicate
# have to say goes to syslog(3), with its level, and not to stderr.  No daemon is
# asked: strace lets the call to it succeed and shows what it would be sent.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

requires sqlite3 strace

: >not-a-folder
cat >lsvfs.yml <<END
logging: {syslog: true, level: info}
dbs:
- path: $PWD/good.db
  replica: {path: $PWD/backup}
- path: $PWD/bad.db
  replica: {path: $PWD/not-a-folder/backup}
END
export LSVFS_CONFIG=$PWD/lsvfs.yml

# traced COMMAND...: its calls to /dev/log are in the file trace.
traced()
{
	strace -f -qq -s 400 -o trace -e trace=connect,sendto \
		-e inject=connect:retval=0 "$@" 2>err || fail "$(cat err)"
	[ ! -s err ] || fail "on stderr: $(cat err)"
	grep -q 'connect(.*"/dev/log"' trace || fail "$(cat trace)"
}

# sent PRIORITY PROGRAM TEXT: that was.
sent()
{
	grep -Eq "sendto\\(.*\"<$1>[^>]* $2: lsvfs: .*$3" trace ||
		fail "not sent: <$1> $2 $3: $(cat trace)"
}

# daemon.info is 30, daemon.err 27.
for name in good bad; do
	traced -E "LD_PRELOAD=$LIBLSVFS" sqlite3 "$name.db" \
		'PRAGMA journal_mode=wal; CREATE TABLE t(x)' >out
	if [ "$name" = good ]; then
		sent 30 sqlite3 "good.db: replicates to $PWD/backup"
	else
		sent 27 sqlite3 'not-a-folder'
	fi
done
sed -i '/bad.db/,$d' lsvfs.yml
traced "$LSVFS" replicate -exec true
sent 30 lsvfs "good.db: replicates to $PWD/backup"
