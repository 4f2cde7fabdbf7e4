#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A database with two replicas, a directory and a bucket: while one is away for
# a whole run, the other one is complete and the status tells which is which; a
# restore takes the one that is newer; when the other one is back, both are
# complete.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
name='two replicas'
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=1s'
export LSVFS_CONFIG=$PWD/litestream.yml
declare -A place=([file]=$PWD/backup [s3]=s3://bkt.localhost:$store_port/app.db)
cat >litestream.yml <<END
dbs:
  - path: $PWD/app.db
    replicas:
      - path: ${place[file]}
      - url: ${place[s3]}
END

# status_is EXIT FILE S3: what it says of each.
status_is()
{
	local status=0

	"$LSVFS" status -max-lag 0s app.db >status.txt || status=$?
	awk -v expected="file $2 s3 $3 " '
		$1 == "replica" { name = $2 }
		$1 == "state" && name { said = said name " " $2 " " }
		END { exit said != expected }' status.txt &&
		[ "$status" = "$1" ]
}

# both_have N: the state after transaction N.
both_have()
{
	for url in "${place[@]}"; do
		restored_to "$1"
	done
}

# is_told FILE S3: when a sync has tried, and did not say that it could.
is_told()
{
	expect_exit 1 "$LSVFS" sync -timeout 1s app.db >sync.log 2>&1
	status_is 2 "$@"
}

# without AWAY HERE UNTIL: a whole run while AWAY cannot be reached.
without()
{
	local expected=(replicated failing)

	[ "$1" = s3 ] || expected=(failing replicated)
	writes "$3"
	eventually 60 is_told "${expected[@]}"
	grep -q '^error  *[^ ]' status.txt || fail "no cause: $(cat status.txt)"
	! grep "cannot put to replica ${place[$2]}" writer.log sync.log ||
		fail "$2 failed, too"
	url=${place[$2]}
	restored_to "$3"
	# Of both, whatever the other one has or says.
	url=app.db
	restored_to "$3"
}

# back UNTIL: by the next run, and by no more than a sync.
back()
{
	writes "$1"
	syncs
	status_is 0 replicated replicated || fail "$(cat status.txt)"
	both_have "$1"
	: >writer.log
}

# From the start of the generation; what comes after that; the other one.
stop_store
without s3 file 30
start_store
syncs
both_have 30
back 40
stop_store
without s3 file 60
start_store
back 80
mv backup kept
: >backup
without file s3 100
rm backup
mv kept backup
syncs
both_have 100
back 120
[ "$(find backup/generations -mindepth 1 -maxdepth 1 | wc -l)" = 1 ] ||
	fail 'a replica that was away ended the generation'
