# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
#
# test/s3/scribe, which writes what can be foretold, through the proxy of
# faulty.sh, which it reads.
#
#	play NAME [OPTION...]   a fresh database and prefix behind a fresh
#	                        proxy with these options: $url
#	writes UNTIL [OPTION..] every commit succeeds, whatever the store does
#	writes_on UNTIL         in the background: $writer
#	has_committed N         whether that one has
#	syncs                   everything is on the replica
#	restored_to N           what is restored now is the state after
#	                        transaction N
#	restored                ... after the last one of the database
#	played                  back in the folder above

# shellcheck source=test/lib/faulty.sh
. "$(dirname "${BASH_SOURCE[0]}")/faulty.sh"

scribe=$top_builddir/test/s3/scribe
requires sqlite3
requires_file "$scribe"
name=
url=
writer=

play()
{
	name=$1
	shift
	mkdir "$name"
	cd "$name" || exit
	start_faulty "$@"
	url=s3://bkt.localhost:$faulty_port/$name
	export LSVFS_REPLICA_URL=$url
}

played()
{
	stop_faulty
	cd ..
}

writes()
{
	local until=$1
	shift

	"$scribe" "$@" app.db 7 "$until" >>committed 2>>writer.log ||
		fail "$name: a commit failed: $(cat writer.log)"
}

writes_on()
{
	background "$scribe" -pause 30000 app.db 7 "$1" >>committed \
		2>>writer.log
	writer=$background_pid
}

has_committed()
{
	[ -s committed ] && [ "$(tail -n 1 committed)" -ge "$1" ]
}

syncs()
{
	"$LSVFS" sync -timeout 300s app.db >sync.log 2>&1 ||
		fail "$name: cannot sync: $(cat sync.log)"
}

restored_to()
{
	forget restored.db
	"$LSVFS_RESTORE" -o restored.db "$url" >restore.log 2>&1 ||
		fail "$name: cannot restore: $(cat restore.log)"
	forget expected.db
	"$scribe" -plain expected.db 7 "$1"
	sqlite3 expected.db .dump >expected.txt
	sqlite3 restored.db .dump >restored.txt
	same_file expected.txt restored.txt
}

restored()
{
	restored_to "$(sqlite3 app.db 'SELECT max(n) FROM log')"
}
