#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What some stores do, one after the other: a database is written, synced and
# restored, exactly.  And what a store says once: tokens that expired, a
# redirect to another region, a clock that is an hour ahead or behind.

. "${top_srcdir:-.}/test/lib/scribe.sh"

find_store minio
start_store
export LSVFS_OPTIONS='sync-interval=50ms shutdown-sync-timeout=30s'
export LSVFS_LOG=warn

# copes NAME [OPTION...]: of the proxy.
copes()
{
	play "$@"
	writes 12
	syncs
	restored
	writes 20
	syncs
	restored
	played
}

copes no-if-none-match --quirks no-if-none-match
copes refuse-if-none-match --quirks refuse-if-none-match
copes no-encoding-type --quirks no-encoding-type
copes no-chunked --quirks no-chunked
copes no-delete --quirks no-delete
copes object-lock --quirks object-lock
copes region --region eu-test-1
copes strict-region --region eu-test-1 --strict
copes ahead --skew 3600
copes behind --skew -3600

# Nothing can be removed: said once, and all else goes on.
play retention --quirks no-delete
export LSVFS_OPTIONS="$LSVFS_OPTIONS retention=1ms"
for n in 10 20 30; do
	writes "$n"
	syncs
	rm -rf .app.db-litestream
done
restored
export LSVFS_OPTIONS=${LSVFS_OPTIONS% *}
played

play expired
writes 10
syncs
# The generation has its snapshot: what comes now is a segment.
rules 'expired 1 PUT *wal*'
writes 20
syncs
rules 'expired 1 GET *'
restored
[ "$(counted expired)" = 2 ] || fail "no token expired: $(cat counts)"
played
