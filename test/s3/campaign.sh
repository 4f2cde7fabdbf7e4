#!/bin/bash
# SPDX-License-Identifier: MIT
#
# campaign.sh [RUNS [FIRST_SEED [PARALLEL]]]: databases are written through the
# VFS to a store behind a proxy that fails by dice; some writers are killed.
# Then, through another such proxy, they are restored.  For each seed:
#
#   - no commit fails, whatever the store does
#   - nothing hangs
#   - a sync that says so has brought everything there, exactly
#   - a restore that exits 0 is a state that was committed, exactly; the last
#     one, if a sync has said that it is there
#
# Prints the figures at the end, and keeps the folder of a seed that went
# wrong ($CAMPAIGN_KEEP, default: not).  $CAMPAIGN_STORE: minio or versitygw;
# $CAMPAIGN_TLS: not empty, everything that fails goes by TLS.

. "${top_srcdir:-.}/test/lib/s3.sh"

runs=${1:-20} first=${2:-1} parallel=${3:-4}
scribe=$top_builddir/test/s3/scribe
requires python3 sqlite3 timeout
requires_file "$scribe"
find_store "${CAMPAIGN_STORE:-minio}"
start_store
tls=()
if [ -n "${CAMPAIGN_TLS-}" ]; then
	make_certificate
	cat certs/public.crt certs/private.key >certificate.pem
	tls=(--certificate "$PWD/certificate.pem")
	export SSL_CERT_FILE=$PWD/ca.pem
fi

# One seed's dice: roll LOW HIGH.
roll()
{
	echo $(($1 + RANDOM % ($2 - $1 + 1)))
}

# proxy NAME OPTION...: sets $url.
proxy()
{
	local name=$1
	shift

	rm -f "$name.port"
	python3 "$top_srcdir/test/s3/faulty.py" "${tls[@]}" "$@" \
		--key "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		"$store_endpoint" "$name.port" "$name.counts" \
		>"$name.log" 2>&1 &
	proxies+=($!)
	eventually 120 test -e "$name.port"
	url=s3://bkt.localhost:$(cat "$name.port")/seed-$seed
	[ -z "${CAMPAIGN_TLS-}" ] ||
		url="s3://bkt/seed-$seed?endpoint=https://localhost:$(cat "$name.port")"
}

end_proxies()
{
	local pid

	for pid in "${proxies[@]}"; do
		kill_quietly "$pid"
	done
	proxies=()
}

wrong()
{
	echo "seed $seed: $*" >>wrong
}

# bounded SECONDS COMMAND...: what does not end in time hangs.
bounded()
{
	local status=0

	timeout -k 5 "$@" || status=$?
	case $status in
	124 | 137) wrong "hangs: $*" ;;
	esac
	return "$status"
}

# Writes, and is killed now and then.
write()
{
	local to=0 status

	while [ "$to" -lt "$until" ]; do
		to=$((to + $(roll 1 "$until")))
		[ "$to" -le "$until" ] || to=$until
		if [ "$(roll 1 4)" = 1 ]; then
			"$scribe" -pause "$(roll 1 40)000" app.db "$seed" \
				"$to" >>committed 2>>writer.log &
			sleep "0.$(roll 0 9)"
			kill -KILL $! 2>/dev/null || :
			wait $! 2>/dev/null || :
			continue
		fi
		status=0
		bounded 120 "$scribe" -pause "$(roll 0 20)000" app.db "$seed" \
			"$to" >>committed 2>>writer.log || status=$?
		[ "$status" = 0 ] ||
			wrong "a commit failed ($status): $(tail -n 1 writer.log)"
		[ "$status" = 0 ] || return 0
	done
}

# last_of DB: the number of its last transaction; a database that was killed
# before its first has no table.
last_of()
{
	local n

	n=$(sqlite3 "$1" 'SELECT count(*) FROM sqlite_schema') || return
	[ "$n" = 0 ] || sqlite3 "$1" 'SELECT coalesce(max(n), 0) FROM log'
	[ "$n" != 0 ] || echo none
}

# What was restored is the state after some transaction.
compare()
{
	local n last

	last=$(last_of app.db)
	n=$(last_of restored.db) || {
		wrong 'the restored database cannot be read'
		return
	}
	if [ "$n" != none ]; then
		"$scribe" -plain expected.db "$seed" "$n" ||
			wrong 'no expectation'
		sqlite3 expected.db .dump >expected.txt
		sqlite3 restored.db .dump >restored.txt
		cmp -s expected.txt restored.txt ||
			wrong "restored is not the state after transaction $n"
	fi
	if [ "$n" = "$last" ]; then
		echo >>latest
	else
		echo >>earlier
		[ "$synced" != 0 ] ||
			wrong "restored $n of $last transactions that were synced"
	fi
}

restore()
{
	local status=0

	bounded 180 "$LSVFS_RESTORE" -o restored.db "$url" >restore.log 2>&1 ||
		status=$?
	if [ "$status" = 0 ]; then
		compare
	else
		echo "seed $seed: $status: $(tail -n 1 restore.log)" >>refused
		grep -q '^error: ' restore.log ||
			wrong "restore exits $status and does not say why"
		[ ! -e restored.db ] ||
			wrong "restore exits $status and leaves a file"
	fi
}

run_seed()
{
	local seed=$1 until synced=0 proxies=() url began=$SECONDS

	RANDOM=$seed
	until=$(roll 3 60)
	mkdir "seed-$seed"
	cd "seed-$seed" || exit 1
	proxy out --seed "$seed" --rate "0.$(roll 0 5)$(roll 1 9)" \
		--stall "$(roll 0 2)" --late "0.$(roll 1 9)"
	export LSVFS_REPLICA_URL=$url
	LSVFS_OPTIONS="sync-interval=$(roll 10 300)ms"
	LSVFS_OPTIONS+=" shutdown-sync-timeout=$(roll 0 2)s"
	export LSVFS_OPTIONS
	export LSVFS_LOG=info
	write
	bounded 120 "$LSVFS" sync -timeout "$(roll 5 60)s" app.db \
		>sync.log 2>&1 || synced=$?
	[ "$synced" != 0 ] || echo >>synced
	end_proxies
	proxy back --seed "$((seed + 1000000))" --stall "$(roll 0 2)" \
		--rate "0.$(roll 0 3)$(roll 1 9)"
	restore
	end_proxies
	finish_seed
}

finish_seed()
{
	local name

	cat out.counts back.counts >counts 2>/dev/null || :
	echo $((SECONDS - began)) >took
	for name in wrong latest earlier refused synced counts committed took; do
		[ ! -e "$name" ] || cat "$name" >"../$name.$seed"
	done
	cd ..
	if [ -e "wrong.$seed" ]; then
		cat "wrong.$seed" >&2
		[ -z "${CAMPAIGN_KEEP-}" ] ||
			cp -a "seed-$seed" "$CAMPAIGN_KEEP/"
	fi
	rm -rf "seed-$seed"
}

lines()
{
	cat "$1".[0-9]* 2>/dev/null | wc -l
}

# sum NAME: of a line of all counts.
sum()
{
	cat counts.[0-9]* | awk -v name="$1" '$1 == name { n += $2 }
		END { print n + 0 }'
}

one_in_each()
{
	local seed

	for ((seed = first + $1; seed < first + runs; seed += parallel)); do
		(
			trap - EXIT
			run_seed "$seed"
		) || echo "seed $seed: exit $?" >"wrong.$seed"
	done
}

# Children of ours end with us.
for ((i = 0; i < parallel; i++)); do
	(
		trap - EXIT
		one_in_each "$i"
	) &
	cleanup kill_quietly $!
	pids[i]=$!
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail 'a runner failed'
done

echo "$runs runs on $store${tls:+ by TLS}: $(lines committed) commits, $(sum all) requests," \
	"$(sum faults) faults; $(lines synced) synced;" \
	"restored: $(lines latest) the latest state," \
	"$(lines earlier) an earlier one, $(lines refused) refused;" \
	"longest: $(cat took.[0-9]* | sort -n | tail -n 1) s; wrong: $(lines wrong)"
[ -z "${CAMPAIGN_KEEP-}" ] || cat refused.[0-9]* >"$CAMPAIGN_KEEP/refused" || :
[ "$(lines wrong)" = 0 ] || fail "$(cat wrong.[0-9]*)"
[ "$(($(lines latest) + $(lines earlier) + $(lines refused)))" = "$runs" ] ||
	fail 'not every seed has come to an end'
[ "$runs" -lt 10 ] || [ "$(lines latest)" -gt 0 ] ||
	fail 'nothing was ever restored'
