#!/bin/bash
# SPDX-License-Identifier: MIT
#
# On VersityGW, by TLS with an authority of our own: replicate, lose, restore,
# with the bucket in the path and in the host; stock Litestream restores it.
# Who has no reason to trust that authority does not talk to it.

. "${top_srcdir:-.}/test/lib/s3.sh"

not_under_tsan
requires sqlite3
stock3=$("$top_srcdir/test/interop/stock.sh" 0.3.13) || exit $?
stock5=$("$top_srcdir/test/interop/stock.sh" 0.5.18) || exit $?
find_store versitygw
start_store_with_tls
at="endpoint=$store_endpoint"

SSL_CERT_FILE=$PWD/ca.pem write_app "s3://bkt/path/%f?$at"
forget app.db
restores latest.txt "s3://bkt/path/app.db?$at&ca-file=$PWD/ca.pem"
AWS_CA_BUNDLE=$PWD/ca.pem restores first.txt "s3://bkt/path/app.db?$at" \
	-timestamp "$first_time"
restores latest.txt "s3://bkt/path/app.db?$at&skip-verify=true"
restores latest.txt \
	"s3://bkt/path/app.db?$at&force-path-style=false&ca-file=$PWD/ca.pem"

cat >litestream.yml <<END
dbs:
- path: $PWD/app.db
  replicas:
  - type: s3
    bucket: bkt
    path: path/app.db
    endpoint: $store_endpoint
    region: us-east-1
    force-path-style: true
END
for litestream in "$stock3" "$stock5"; do
	SSL_CERT_FILE=$PWD/ca.pem stock_restores "$litestream" latest.txt \
		-config litestream.yml "$PWD/app.db"
	SSL_CERT_FILE=$PWD/ca.pem stock_restores "$litestream" first.txt \
		-config litestream.yml -timestamp "$first_time" "$PWD/app.db"
done

expect_exit 1 "$LSVFS_RESTORE" -o no.db "s3://bkt/path/app.db?$at" >err 2>&1
grep -q 'certificate' err || fail "said: $(cat err)"
[ ! -e no.db ] || fail 'there is an output'

# Keys that are wrong, a bucket that is not there: cause and remedy.
AWS_SECRET_ACCESS_KEY=wrong expect_exit 1 "$LSVFS_RESTORE" -o no.db \
	"s3://bkt/path/app.db?$at&ca-file=$PWD/ca.pem" >err 2>&1
grep -q 'SignatureDoesNotMatch' err || fail "said: $(cat err)"
expect_exit 1 "$LSVFS_RESTORE" -o no.db \
	"s3://nowhere/app.db?$at&ca-file=$PWD/ca.pem" >err 2>&1
grep -q 'create the bucket' err || fail "said: $(cat err)"
expect_exit 3 "$LSVFS_RESTORE" -o no.db \
	"s3://bkt/nothing?$at&ca-file=$PWD/ca.pem" >err 2>&1
keeps_secret err restore.log status.txt store.log
