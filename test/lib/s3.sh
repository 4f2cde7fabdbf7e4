# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A store on loopback, for one test, which reads this first, or one of those
# that read it: faulty.sh, scribe.sh.
#
#	find_store minio          or versitygw; skips the test without it
#	start_store               or start_store_with_tls: $store_port, $store_endpoint, bucket "bkt"
#	stop_store; start_store   again, with what it had

# shellcheck source=test/lib/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# shellcheck source=test/lib/ways.sh
. "$(dirname "${BASH_SOURCE[0]}")/ways.sh"

unset "${!AWS_@}" "${!LITESTREAM_@}" SSL_CERT_FILE SSL_CERT_DIR
unset LSVFS_REPLICA_URL LSVFS_OPTIONS LSVFS_CONFIG LSVFS_LOG
export AWS_ACCESS_KEY_ID=tester AWS_SECRET_ACCESS_KEY=tester-secret-12345
# Nobody's ~/.aws, and no machine that has a role.
export AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null
export no_proxy=localhost,127.0.0.1

store=
store_program=
store_port=
store_endpoint=
store_pid=

find_store()
{
	requires python3
	store=$1
	store_program=$("$top_srcdir/test/interop/servers.sh" "$store") ||
		exit $?
	# At /tmp, so that sockets and object names stay short.
	mkdir -p "$PWD/store/bkt" "$PWD/sidecar"
}

free_port()
{
	python3 -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# make_certificate: ca.pem, and certs/{public.crt,private.key} signed by it,
# for localhost and the bucket below it.
make_certificate()
{
	requires openssl
	mkdir -p certs
	{
		openssl req -x509 -newkey rsa:2048 -nodes -days 30 \
			-subj '/CN=test CA' -keyout ca.key -out ca.pem
		openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' \
			-keyout certs/private.key -out server.csr
		echo 'subjectAltName=DNS:localhost,DNS:bkt.localhost,IP:127.0.0.1' \
			>san
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key \
			-CAcreateserial -days 30 -extfile san \
			-out certs/public.crt
	} 2>openssl.log || fail "openssl: $(cat openssl.log)"
}

run_minio()
{
	MINIO_ROOT_USER=$AWS_ACCESS_KEY_ID \
		MINIO_ROOT_PASSWORD=$AWS_SECRET_ACCESS_KEY \
		MINIO_DOMAIN=localhost MINIO_BROWSER=off MINIO_UPDATE=off \
		exec "$store_program" server --quiet \
		--address "127.0.0.1:$store_port" "$@" "$PWD/store"
}

run_versitygw()
{
	ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID \
		ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
		exec "$store_program" --quiet --port "127.0.0.1:$store_port" \
		--virtual-domain "localhost:$store_port" \
		"$@" posix --sidecar "$PWD/sidecar" "$PWD/store"
}

# It answers, with whatever: that it is ready is seen by a status below 500.
store_answers()
{
	kill -0 "$store_pid" 2>/dev/null || return 0
	python3 - "$store_endpoint" <<'END'
import ssl, sys, urllib.error, urllib.request
context = ssl._create_unverified_context()
try:
    urllib.request.urlopen(sys.argv[1] + "/bkt", timeout=5, context=context)
except urllib.error.HTTPError as e:
    sys.exit(e.code >= 500)
except OSError:
    sys.exit(1)
END
}

start_store()
{
	start_store_by http
}

start_store_with_tls()
{
	[ -e ca.pem ] || make_certificate
	start_store_by https
}

start_store_by()
{
	local flags=() scheme=$1 try

	if [ "$scheme" = https ]; then
		case $store in
		minio) flags=(--certs-dir "$PWD/certs") ;;
		*) flags=(--cert "$PWD/certs/public.crt" --key "$PWD/certs/private.key") ;;
		esac
	fi
	# Somebody else may take the port before the store does.
	for try in 1 2 3 4 5; do
		[ "$try" = 1 ] && [ -n "$store_port" ] ||
			store_port=$(free_port)
		store_endpoint=$scheme://localhost:$store_port
		background "run_$store" "${flags[@]}" >store.log 2>&1
		store_pid=${background_pid:?}
		eventually 60 store_answers
		! kill -0 "$store_pid" 2>/dev/null || return 0
	done
	fail "cannot start $store: $(tail -n 5 store.log)"
}

stop_store()
{
	kill_quietly "$store_pid"
}

# forget DB: the machine is lost.
forget()
{
	rm -rf "$1" "$1-wal" "$1-shm" ".$1-litestream"
}

# restores EXPECTED URL [OPTION...]: by us, to what that dump says.
restores()
{
	local expected=$1 url=$2
	shift 2

	forget restored.db
	"$LSVFS_RESTORE" -o restored.db "$@" "$url" >restore.log 2>&1 ||
		fail "restore of $url: exit $?: $(cat restore.log)"
	sqlite3 restored.db .dump >got.txt
	same_file "$expected" got.txt
}

# stock_restores LITESTREAM EXPECTED OPTION...: the same by stock.
stock_restores()
{
	local litestream=$1 expected=$2
	shift 2

	forget stock.db
	"$litestream" restore -o stock.db "$@" >restore.log 2>&1 ||
		fail "$litestream $*: $(cat restore.log)"
	sqlite3 stock.db .dump >got.txt
	same_file "$expected" got.txt
}

# write_app URL: sessions of a program that is what it is.  latest.txt: what is
# in the database then; first.txt: what was at the moment $first_time.  (Stores
# and stock know seconds.)
write_app()
{
	export LSVFS_REPLICA_URL=$1

	forget app.db
	preload sqlite3 app.db 'PRAGMA journal_mode=wal;
		CREATE TABLE note (id INTEGER PRIMARY KEY, text);
		INSERT INTO note (text) VALUES ("first"), ("second")' >out 2>&1 ||
		fail "first session: $(cat out)"
	[ "$(cat out)" = wal ] || fail "first session: $(cat out)"
	sqlite3 app.db .dump >first.txt
	sleep 2
	# shellcheck disable=SC2034 # by the tests
	first_time=$(date -u +%FT%TZ)
	sleep 1
	preload sqlite3 app.db 'INSERT INTO note (text)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
		WHERE i < 500) SELECT hex(randomblob(50)) FROM n' >out 2>&1 ||
		fail "second session: $(cat out)"
	preload sqlite3 app.db 'DELETE FROM note WHERE id % 3 = 0' >>out 2>&1
	[ ! -s out ] || fail "said: $(cat out)"
	"$LSVFS" status app.db >status.txt ||
		fail "exit $?: $(cat status.txt)"
	sqlite3 app.db .dump >latest.txt
	unset LSVFS_REPLICA_URL
}

# keeps_secret FILE...: I15.
keeps_secret()
{
	! grep -raF "$AWS_SECRET_ACCESS_KEY" "$@" ||
		fail 'the secret is written there'
}
