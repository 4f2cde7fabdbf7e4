#!/bin/bash
# SPDX-License-Identifier: MIT
#
# README.md's commands for an S3 bucket, as they stand there: on MinIO, on
# VersityGW, and on both by TLS.  Only the port is another one than 9000; by TLS
# the URL is as README.md's table has it.

. "${top_srcdir:-.}/test/lib/s3.sh"

not_under_tsan
requires sqlite3
sed -n '/^## In an S3 bucket/,/^## /s/^    //p' "$top_srcdir/README.md" >typed
[ "$(wc -l <typed)" -ge 7 ] || fail "README.md has only: $(cat typed)"
[ "$(grep -c 'lsvfs-restore' typed)" = 1 ] || fail 'it restores nothing'
# shellcheck disable=SC2016 # what Markdown puts around code
grep -q '`s3://bucket/prefix?endpoint=https://host:port` | any, by TLS' \
	"$top_srcdir/README.md" || fail 'README.md names no URL for TLS'

# As if it were installed; a sanitizer's library has to come first.
mkdir bin
ln -s "$LSVFS" "$LSVFS_RESTORE" bin/
PATH=$PWD/bin:$PATH
LD_LIBRARY_PATH=$(dirname "$LIBLSVFS")
export PATH LD_LIBRARY_PATH
sqlite3()
{
	LD_PRELOAD="$sanitizer_runtime ${LD_PRELOAD-}" command sqlite3 "$@"
}

# by STORE SCHEME
by()
{
	local url="s3://mybkt.localhost:"

	mkdir "$1-$2"
	cd "$1-$2"
	find_store "$1"
	mkdir store/mybkt
	# Whose store it is, README.md says, too.
	eval "$(grep '^export AWS_' ../typed)"
	if [ "$2" = https ]; then
		start_store_with_tls
		export SSL_CERT_FILE=$PWD/ca.pem
		sed "s|s3://mybkt.localhost:9000/\([^ ]*\)|s3://mybkt/\1?endpoint=$store_endpoint|" \
			../typed >here
	else
		start_store
		sed "s|${url}9000|$url$store_port|" ../typed >here
	fi
	(
		# shellcheck disable=SC1091 # what was just written
		. ./here
	) >said 2>&1 || fail "$1 by $2: exit $?: $(cat here said)"
	[ "$(sed -n 1p said)" = wal ] || fail "$1 by $2: said: $(cat said)"
	grep -q '^state  *replicated$' said || fail "$1 by $2: $(cat said)"
	grep -q '^restored app.db: txid ' said || fail "$1 by $2: $(cat said)"
	[ "$(sqlite3 app.db 'SELECT text FROM note')" = kept ] ||
		fail "$1 by $2: it was not kept"
	[ -n "$(find store/mybkt/app.db -type f)" ] ||
		fail "$1 by $2: it was not there"
	keeps_secret said .app.db-litestream
	stop_store
	store_port=
	unset SSL_CERT_FILE
	cd ..
}

for kind in minio versitygw; do
	by "$kind" http
	by "$kind" https
done
