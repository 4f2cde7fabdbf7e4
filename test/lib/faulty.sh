# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
#
# test/s3/faulty.py before the store of s3.sh, which it reads:
#
#	start_faulty [OPTION...]   $faulty_port; rules and counts are in the
#	                           current folder
#	rules [RULE...]            what goes wrong from now on
#	faulty_count NAME N        whether so many, or more, were counted
#	stop_faulty

# shellcheck source=test/lib/s3.sh
. "$(dirname "${BASH_SOURCE[0]}")/s3.sh"

faulty_port=
faulty_pid=

start_faulty()
{
	rm -f faulty.port
	background python3 "$top_srcdir/test/s3/faulty.py" --rules rules \
		--key "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@" \
		"$store_endpoint" faulty.port counts >faulty.log 2>&1
	faulty_pid=$background_pid
	eventually 60 test -e faulty.port
	faulty_port=$(cat faulty.port)
}

stop_faulty()
{
	kill_quietly "$faulty_pid"
}

rules()
{
	printf '%s\n' "$@" >rules.new
	mv rules.new rules
}

# counted NAME: how many.
counted()
{
	awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' counts \
		2>/dev/null || echo 0
}

faulty_count()
{
	[ "$(counted "$1")" -ge "$2" ]
}
