#!/bin/bash
# SPDX-License-Identifier: MIT
#
# No secret anywhere (I15): logs at their loudest, status, errors of all kinds,
# the local folder, the replica, the environment of children.  Every kind of
# secret: of the environment, of a URL, of a profile, of a session.

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
	local name=$1 fault
	shift

	rules
	said "$scribe" app.db 7 20
	said "$LSVFS" sync -timeout 5s app.db
	said "$LSVFS" status app.db
	said "$LSVFS" status -json app.db
	said "$LSVFS_RESTORE" -o "restored-$name.db" "$LSVFS_REPLICA_URL"
	for fault; do
		rules "$fault * *"
		said "$scribe" app.db 7 $((20 + ++n))
		said "$LSVFS" sync -timeout 1s app.db
		said "$LSVFS" status app.db
		said "$LSVFS" status -json app.db
		said timeout 5 "$LSVFS_RESTORE" -o never.db \
			"$LSVFS_REPLICA_URL"
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
profile='profile-secret-24680'
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

[ -e restored-environment.db ] || fail "nothing was restored: $(tail -n 5 said.log)"
grep -q debug said.log || fail 'nothing was said'
for secret in "$AWS_SECRET_ACCESS_KEY" "$wrong" "$token" "$profile"; do
	! grep -rlaF -e "$secret" . ||
		fail "a secret is written there: $secret"
	# Neither of the store's own files; MinIO keeps its key elsewhere.
	! grep -rlaF -e "$secret" "$scratch/store/bkt" ||
		fail "a secret is on the replica: $secret"
done
played
