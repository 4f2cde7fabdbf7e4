#!/bin/bash
# SPDX-License-Identifier: MIT
#
# No secret anywhere (I15): logs at their loudest, what every command prints,
# errors of all kinds, the local folder, the replica, the environment of
# children.  Every kind of secret: of the environment, of a configuration, of a
# URL, of a profile, of a session.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=1s'
export LSVFS_LOG=debug

# said COMMAND...: what it says goes where it is looked through later.
said()
{
	"$@" >>said.log 2>&1 || :
}

# sessions NAME FAULT...: all that people do, while all goes well and while it
# does not.
sessions()
{
	local name=$1 fault at=${LSVFS_REPLICA_URL:-app.db}
	shift

	rules
	said "$scribe" app.db 7 20
	said "$LSVFS" sync -timeout 5s app.db
	said "$LSVFS" status app.db
	said "$LSVFS" status -json app.db
	said "$LSVFS_RESTORE" -o "restored-$name.db" "$at"
	for fault; do
		rules "$fault * *"
		said "$scribe" app.db 7 $((20 + ++n))
		said "$LSVFS" sync -timeout 1s app.db
		said "$LSVFS" status app.db
		said "$LSVFS" status -json app.db
		said timeout 5 "$LSVFS_RESTORE" -o never.db "$at"
	done
	rules
	said "$LSVFS" sync -timeout 5s app.db
}

n=0
play secrets
sessions environment refuse status-403 status-500 cut

# A wrong secret: the store's answer repeats what was signed.
wrong='wrong-secret-98765'
AWS_SECRET_ACCESS_KEY=$wrong sessions wrong

# A session, whose token goes over the wire, is refused.
token='token-abcdef-13579'
AWS_SESSION_TOKEN=$token sessions token expired

# A profile, and one that cannot be read.
profile='profile/secret+24680='
printf '[default]\naws_access_key_id = someone\naws_secret_access_key = %s\n' \
	"$profile" >aws
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_SHARED_CREDENTIALS_FILE=$PWD/aws
	sessions profile status-403
	printf '[default]\naws_secret_access_key: %s\n' "$profile" >aws
	sessions broken-profile
)
rm aws

# A configuration: what all commands say of it, and what a child is told.
configured='configured/secret+11223='
configure()
{
	cat >"$scratch/litestream.yml" <<END
access-key-id: $AWS_ACCESS_KEY_ID
secret-access-key: $1
dbs:
  - path: $PWD/app.db
    replicas:
      - url: $LSVFS_REPLICA_URL
END
}

# command NAME [OPTION...]: for a table, for a program, and when it fails.
command_says()
{
	said "$LSVFS" "$@"
	said "$LSVFS" "$@" -json
	rules 'status-403 * *'
	said "$LSVFS" "$@"
	rules
}

# with_configuration NAME SECRET
with_configuration()
{
	configure "$2"
	(
		unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY LSVFS_REPLICA_URL
		export LSVFS_CONFIG=$scratch/litestream.yml
		sessions "$1" status-403
		command_says databases
		command_says config check
		for command in generations snapshots wal status; do
			command_says "$command" app.db
		done
		said "$LSVFS" status -prometheus app.db
		said "$LSVFS_RESTORE" -dry-run -json -o never.db app.db
		said "$LSVFS" replicate -exec 'cat /proc/self/environ'
	)
}

with_configuration configuration "$AWS_SECRET_ACCESS_KEY"
grep -qa "LSVFS_CONFIG=$scratch/litestream.yml" said.log ||
	fail 'no child told its environment'
with_configuration wrong-configuration "$configured"
echo "secret-access-key: [$configured" >"$scratch/litestream.yml"
LSVFS_CONFIG=$scratch/litestream.yml said "$LSVFS" config check

# A URL, which is none for it.
in_url='url/secret+33445='
for at in "s3://id:$in_url@bkt/p" "s3://id:url%2Fsecret%2B33445%3D@bkt/p" \
	"s3://bkt/p?secret-access-key=$in_url" \
	"s3://bkt/p?endpoint=http://id:$in_url@localhost:$faulty_port" \
	"s3://bkt/%q?secret-access-key=$in_url" "http://id:$in_url@bkt/p" \
	"file:///p?secret=$in_url"; do
	LSVFS_REPLICA_URL=$at said "$scribe" url.db 7 3
	said "$LSVFS" sync -timeout 1s -replica-url "$at" app.db
	said "$LSVFS" replicate -exec true app.db "$at"
	for command in generations snapshots wal; do
		said "$LSVFS" "$command" "$at"
	done
	said "$LSVFS_RESTORE" -o never.db "$at"
done

for name in environment configuration; do
	[ -e "restored-$name.db" ] ||
		fail "nothing was restored: $(tail -n 5 said.log)"
done
grep -qa 403.InvalidAccessKeyId said.log || fail 'no profile was used'
grep -qa debug said.log || fail 'nothing was said'
for secret in "$AWS_SECRET_ACCESS_KEY" "$wrong" "$token" "$profile" \
	"$configured" "$in_url"; do
	encoded=${secret//\//%2F}
	encoded=${encoded//+/%2B}
	for text in "$secret" "${encoded//=/%3D}"; do
		! grep -raF -e "$text" . || fail 'a secret is written there'
		# Neither of the store's own files; MinIO keeps its key elsewhere.
		! grep -rlaF -e "$text" "$scratch/store/bkt" ||
			fail "a secret is on the replica: $text"
	done
done
played
