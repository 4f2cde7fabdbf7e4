#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What is older than the retention goes from real stores, many objects a
# request; one by one where the store knows no such request.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "${top_srcdir:-.}/test/lib/s3.sh"
. "${top_srcdir:-.}/test/lib/faulty.sh"
. "${top_srcdir:-.}/test/lib/scribe.sh"

export LSVFS_OPTIONS='sync-interval=10ms shutdown-sync-timeout=30s'
export LSVFS_LOG=warn

# objects GENERATION: how many the store still has of it.
objects()
{
	find "$scratch/$store/store/bkt/$name/generations/$1" -type f \
		2>/dev/null | wc -l
}

# asked METHOD PATTERN: how many such requests there were.
asked()
{
	grep -c "^[0-9.]* $1 $2" requests || :
}

# three generations, the first of several segments; it has to go.
three_generations()
{
	local first n

	writes 60 -pause 5000
	syncs
	first=$(cat .app.db-litestream/generation)
	before=$(objects "$first")
	[ "$before" -ge 6 ] || fail "$name: only $before objects"
	for n in 70 80; do
		rm -rf .app.db-litestream
		LSVFS_OPTIONS="$LSVFS_OPTIONS retention=1ms" writes "$n"
	done
	syncs
	[ "$(objects "$first")" = 0 ] ||
		fail "$name: $(objects "$first") of $before objects are left: $(cat writer.log sync.log)"
	restored
	[ ! -s writer.log ] || fail "$name: said: $(cat writer.log)"
}

for kind in minio versitygw; do
	mkdir "$kind"
	cd "$kind"
	find_store "$kind"
	store_port=
	start_store
	play "many-$kind" --log requests
	three_generations
	[ "$(asked POST '[^ ]*?delete=')" -gt 0 ] || fail "$kind: no batch: $(cat requests)"
	n=$(asked DELETE .)
	[ "$n" -lt $((before / 2)) ] || fail "$kind: $n single requests"
	played

	play "single-$kind" --log requests --quirks no-batch
	three_generations
	n=$(asked POST '[^ ]*?delete=')
	[ "$(asked DELETE .)" -ge $((before / 2)) ] ||
		fail "$kind: too few single requests"
	printf '%s: %s objects, %s batches refused\n' "$kind" "$before" "$n"
	played
	stop_store
	cd ..
done
