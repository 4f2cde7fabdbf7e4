#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Each source of credentials, against a stand-in that speaks its protocol on
# loopback: what it gives, who is asked and how often, and what is said when
# it gives nothing.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires python3
whoami=$top_builddir/test/s3/whoami
requires_file "$whoami"

# Nothing of the machine's own.
unset "${!AWS_@}" "${!LITESTREAM_@}" http_proxy https_proxy all_proxy no_proxy
export HOME=$scratch/home AWS_EC2_METADATA_DISABLED=true
mkdir -p home/.aws

python3 "$top_srcdir/test/s3/standin.py" port log >standin.out 2>&1 &
cleanup kill_quietly $!
eventually 60 test -e port
url=http://127.0.0.1:$(cat port)
: >log

# given NAME=VALUE... -- WORD...: what whoami prints.
given()
{
	local environment=()

	while [ "$1" != -- ]; do
		environment+=("$1")
		shift
	done
	shift
	env "${environment[@]}" "$whoami" "$@" 2>stderr
}

# expect TEXT NAME=VALUE... -- WORD...: each line of TEXT (a pattern) is what
# whoami prints there.
expect()
{
	local expected=$1 got

	shift
	got=$(given "$@")
	# shellcheck disable=SC2053 # a pattern
	[[ $got == $expected ]] ||
		fail "expected '$expected', got '$got' from: $*"
}

# asked N PATTERN: so many lines of the stand-in's log match; then it is
# empty again.
asked()
{
	local n

	n=$(grep -c -- "$2" log || :)
	[ "$n" = "$1" ] || fail "'$2' was asked $n times, not $1: $(cat log)"
	: >log
}

# behave [NAME=VALUE]: how the stand-in answers from now on.
behave()
{
	printf '%s' "${1+$1$'\n'}" >log.set.new
	mv log.set.new log.set
}

# The simple ones, in their order.
expect 'error: *no credentials found*' A=1 -- get
expect 'AKIDAWS s 0 - lasts' AWS_ACCESS_KEY_ID=AKIDAWS \
	AWS_SECRET_ACCESS_KEY=s -- get
expect 'AKIDLS l 0 - lasts' AWS_ACCESS_KEY_ID=AKIDAWS \
	AWS_SECRET_ACCESS_KEY=s LITESTREAM_ACCESS_KEY_ID=AKIDLS \
	LITESTREAM_SECRET_ACCESS_KEY=l -- get
expect 'anonymous' AWS_ACCESS_KEY_ID=AKIDAWS AWS_SECRET_ACCESS_KEY=s \
	-- anonymous=1 get
expect 'K s 5 token lasts' AWS_ACCESS_KEY_ID=AKIDAWS \
	AWS_SECRET_ACCESS_KEY=s -- key_id=K secret=s token=token get

# Profiles.
cat >home/.aws/credentials <<'EOF'
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = default-secret

[base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = base-secret+/=

[half]
aws_access_key_id = AKIDHALF
EOF
cat >home/.aws/config <<'EOF'
[default]
region = eu-north-1

[profile role]
role_arn = arn:aws:iam::1:role/one
source_profile = base
role_session_name = me@here
external_id = 7/8 9
duration_seconds = 900
region = eu-west-3

[profile chained]
role_arn = arn:aws:iam::1:role/two
source_profile = role

[profile of-environment]
role_arn = arn:aws:iam::1:role/three
credential_source = Environment

[profile of-container]
role_arn = arn:aws:iam::1:role/four
credential_source = EcsContainer

[profile forbidden]
role_arn = arn:aws:iam::1:role/forbidden
source_profile = base

[profile wrong]
role_arn = arn:aws:iam::1:role/one
source_profile = default

[profile circle]
role_arn = arn:aws:iam::1:role/one
source_profile = circle2
[profile circle2]
role_arn = arn:aws:iam::1:role/one
source_profile = circle

[profile lonely]
role_arn = arn:aws:iam::1:role/one

[profile hasty]
role_arn = arn:aws:iam::1:role/one
source_profile = base
duration_seconds = 1

[profile program]
credential_process = /bin/echo {}

[profile browser]
sso_session = x
EOF
sts=AWS_ENDPOINT_URL_STS=$url/sts
expect 'AKIDDEFAULT default-secret 0 - lasts' A=1 -- get
expect 'AKIDBASE base-secret+/= 0 - lasts' AWS_PROFILE=base -- get
expect 'region eu-north-1' A=1 -- region
expect 'region eu-west-3' AWS_PROFILE=role -- region
expect 'region x' AWS_PROFILE=role AWS_DEFAULT_REGION=x -- region
expect 'region y' AWS_REGION=y AWS_DEFAULT_REGION=x -- region

expect 'ASIAROLE* role-secret-* 1? role-token-* expires' \
	AWS_PROFILE=role "$sts" -- get
asked 1 'STS AssumeRole arn:aws:iam::1:role/one by AKIDBASE in '\
'[0-9]*/eu-west-3/sts/aws4_request as me@here for 900 id 7/8 9$'

# A role by a role: the second is signed with the first one's token.
expect 'ASIAROLE* role-secret-* 1? role-token-* expires' \
	AWS_PROFILE=chained "$sts" -- get
asked 1 'role/two by ASIAROLE[0-9]* in [0-9]*/us-east-1/sts/aws4_request'\
' as lsvfs-[0-9]* for - id -$'

# What a profile cannot do is said, and nobody else steps in.
expect "error: *profile 'half' has no aws_secret_access_key*" \
	AWS_PROFILE=half -- get
expect "error: *'nowhere' (AWS_PROFILE) is in neither file*" \
	AWS_PROFILE=nowhere -- get
expect 'error: *role/forbidden: status 403 AccessDenied: you may not*' \
	AWS_PROFILE=forbidden "$sts" -- get
expect 'error: *status 403 InvalidClientTokenId*' \
	AWS_PROFILE=wrong "$sts" -- get
expect 'error: *in a circle*' AWS_PROFILE=circle "$sts" -- get
expect 'error: *neither source_profile nor credential_source*' \
	AWS_PROFILE=lonely -- get
expect 'error: *duration_seconds*' AWS_PROFILE=hasty -- get
expect 'error: *a program to be started (credential_process)*' \
	AWS_PROFILE=program -- get
expect 'error: *a sign-in with a browser (sso_session)*' \
	AWS_PROFILE=browser -- get
expect 'error: *cannot ask AWS STS*' AWS_PROFILE=role \
	AWS_ENDPOINT_URL_STS=http://127.0.0.1:1/sts -- get
behave garbage=1
expect 'error: *is it one?*' AWS_PROFILE=role "$sts" -- get
expect 'error: *gives no credentials: status 200*' \
	AWS_SHARED_CREDENTIALS_FILE=/nowhere \
	"AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/x" -- get
behave
: >log

# A signature that does not match: STS repeats what it signed, we do not.
sed -i 's/base-secret+/not-the-secret+/' home/.aws/credentials
expect 'error: *status 403 SignatureDoesNotMatch' AWS_PROFILE=role "$sts" \
	-- get
sed -i 's/not-the-secret+/base-secret+/' home/.aws/credentials
: >log

# From here on without a default profile.
mv home/.aws home/.aws-away

# Web identity.
printf 'web-identity-token\n' >token
web=(AWS_WEB_IDENTITY_TOKEN_FILE="$scratch/token"
	AWS_ROLE_ARN=arn:aws:iam::1:role/web "$sts")
expect 'ASIAROLE* role-secret-* 1? role-token-* expires' "${web[@]}" \
	AWS_ROLE_SESSION_NAME=pod -- get
asked 1 'AssumeRoleWithWebIdentity arn:aws:iam::1:role/web as pod$'
expect 'error: *AWS_ROLE_ARN is not*' "${web[@]}" AWS_ROLE_ARN= -- get
expect 'error: *cannot read the token*' "${web[@]}" \
	AWS_WEB_IDENTITY_TOKEN_FILE="$scratch/none" -- get
printf 'wrong\n' >wrong-token
expect 'error: *status 400 InvalidIdentityToken*' "${web[@]}" \
	AWS_WEB_IDENTITY_TOKEN_FILE="$scratch/wrong-token" -- get
printf 'two\nlines\n' >wrong-token
expect 'error: *is no token*' "${web[@]}" \
	AWS_WEB_IDENTITY_TOKEN_FILE="$scratch/wrong-token" -- get
: >log

# Containers.
full=AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/container/role
expect 'ASIACONTAINER* container-secret-* 2??? session-token-* expires' \
	"$full" -- get
behave token=let-me-in
expect 'error: *status 401 AccessDenied*' "$full" -- get
expect 'error: *status 401 AccessDenied*' "$full" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN=no -- get
expect 'ASIACONTAINER*' "$full" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN=let-me-in -- get
printf let-me-in >container-token
expect 'ASIACONTAINER*' "$full" AWS_CONTAINER_AUTHORIZATION_TOKEN=no \
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$scratch/container-token" \
	-- get
behave
for stranger in http://example.com/x http://10.0.0.1/x ftp://127.0.0.1/x \
	http://127.0.0.1@example.com/x http://localhost.example.com/x \
	http://169.254.170.2.example.com/; do
	expect 'error: *FULL_URI is refused*' \
		AWS_CONTAINER_CREDENTIALS_FULL_URI=$stranger -- get
done
expect 'error: *RELATIVE_URI is no path*' \
	AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=@example.com/x -- get
: >log

# The machine's role, through the second version of the protocol; no proxy.
imds=(AWS_EC2_METADATA_DISABLED=false
	AWS_EC2_METADATA_SERVICE_ENDPOINT="$url/"
	http_proxy=http://127.0.0.1:1)
expect 'ASIAMACHINE* machine-secret-* 2??? session-token-* expires' \
	"${imds[@]}" -- get get get
printf 'IMDS %s\n' token role credentials >expected
same_file expected log
: >log
expect 'error: *no credentials found*' "${imds[@]}" \
	AWS_EC2_METADATA_DISABLED=TRUE -- get
asked 0 .
behave role=
expect 'error: *no credentials found*' "${imds[@]}" -- get
expect 'error: *no credentials found*' "${imds[@]}" \
	AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1 -- get
: >log

# A service that is not well is asked again, and waited for no longer than
# that.
behave fail=503
expect 'error: *container credential service is overloaded (status 503)' \
	"$full" -- get
asked 3 'fail 503'

# Kept; renewed when the store says so; a child of a fork asks for itself.
behave
expect $'ASIACONTAINER*\nASIACONTAINER*\nASIACONTAINER*' "$full" \
	-- get get get
asked 1 container
# The child leaves alone what was the parent's: to a sanitizer, a leak.
expect $'ASIACONTAINER*\nASIACONTAINER*' "$full" \
	"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
	-- get fork get
asked 2 container
given "$full" -- get pause renew >answers
asked 2 container
[ "$(sort -u answers | wc -l)" = 2 ] || fail "renew: $(cat answers)"
