#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What is older than the retention goes from real stores, many objects a
# request; one by one where the store knows no such request.

. "${top_srcdir:-.}/test/lib/scribe.sh"

export LSVFS_OPTIONS='sync-interval=10ms shutdown-sync-timeout=30s'
export LSVFS_LOG=warn

# is_gone GENERATION: the store has nothing of it.
is_gone()
{
	[ -z "$(find "$scratch/$store/store/bkt/$name/generations/$1" -type f \
		2>/dev/null)" ]
}

# objects GENERATION: how many were put there.
objects()
{
	awk -v of="/$1/" '$2 == "PUT" && index($3, of) { print $3 }' requests |
		sort -u | wc -l
}

# asked METHOD PATTERN: how many such requests there were.
asked()
{
	grep -c "^[0-9.]* $1 $2" requests || :
}

# three generations, the first of several segments; it has to go.
three_generations()
{
	local n

	for n in 10 20 30 40 50 60; do
		writes "$n"
	done
	syncs
	first=$(cat .app.db-litestream/generation)
	before=$(objects "$first")
	[ "$before" -ge 6 ] || fail "$name: only $before objects"
	for n in 70 80; do
		rm -rf .app.db-litestream
		LSVFS_OPTIONS="$LSVFS_OPTIONS retention=1ms" writes "$n"
	done
	syncs
	is_gone "$first" || fail "$name: it is still there: $(cat requests)"
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
	# Its snapshot, the beginning of its index, lineage.json.
	n=$(asked DELETE "[^ ]*/$first/")
	[ "$n" -le 3 ] || fail "$kind: $n of $before went alone: $(cat requests)"
	played

	play "single-$kind" --log requests --quirks no-batch
	three_generations
	n=$(asked DELETE "[^ ]*/$first/")
	[ "$n" = "$before" ] ||
		fail "$kind: $n of $before went alone: $(cat requests)"
	played
	stop_store
	cd ..
done
