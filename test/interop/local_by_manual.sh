#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The local folder, read by lsvfs-format(5) alone: the shadow WALs verify, and
# where capture stands is where the replica stands and what the database is.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires python3 lz4 sqlite3

reader=$top_srcdir/test/interop/read_replica.py
export LSVFS_REPLICA_URL=$PWD/replica

# field PATH: of what the reader said last, "state.replicas.0.shipped"
field()
{
	python3 -c '
import json, sys
value = json.load(open("local.json"))
for key in sys.argv[1].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(value)' "$1"
}

read_local()
{
	python3 "$reader" local .app.db-litestream >local.json ||
		fail "$(cat local.json)"
}

equal()
{
	[ "$1" = "$2" ] || fail "$3: '$1', expected '$2': $(cat local.json)"
}

# Everything is where the replica and the database say.
check_folder()
{
	local index commits=$1 position generation

	"$LSVFS" sync app.db >sync.txt || fail "sync: $(cat sync.txt)"
	read_local
	generation=$(field generation)
	index=$(python3 -c 'import json
print(max(json.load(open("local.json"))["indexes"]))')
	position=$generation/$index:$(printf %08x "$(field "indexes.$index.end")")
	equal "$(field state.generation)" "$generation" 'the generation'
	equal "$(field state.replicas.0.shipped)" "$position" 'shipped'
	equal "$(field state.replicas.0.txid)" "$commits" 'the txid shipped'
	equal "$(field "indexes.$index.txid")" "$commits" 'the txid captured'
	equal "$(field pagehash.page_size)" 1024 'the page size'
	rm -f out.db
	python3 "$reader" replica replica out.db >out.txt ||
		fail "$(cat out.txt)"
	equal "$(sqlite3 out.db .sha3sum)" "$(sqlite3 app.db .sha3sum)" \
		'the database'
	equal "$(stat -c %s out.db)" \
		$((1024 * $(field "indexes.$index.pages"))) 'the size'
	equal "$(python3 - <<-END
		import struct, sys
		sys.argv = ["x"]
		sys.path.insert(0, "$top_srcdir/test/interop")
		sys.dont_write_bytecode = True
		import read_replica
		print(read_replica.page_hash(open("out.db", "rb").read(), 1024))
	END
	)" "$(field "indexes.$index.page_hash")" 'the page hash'
}

preload sqlite3 app.db 'pragma page_size=1024; pragma journal_mode=wal;
create table t(a integer primary key, b)' >/dev/null
check_folder 0
preload sqlite3 app.db "insert into t(b) values(randomblob(5000));
insert into t(b) values('two'); update t set b = 'one' where a = 1;
pragma incremental_vacuum"
check_folder 3
preload sqlite3 app.db 'pragma wal_checkpoint(restart);
insert into t(b) values(3); pragma wal_checkpoint(restart);
insert into t(b) values(4); vacuum' >/dev/null
check_folder 6

# And it can say no.
cp -r .app.db-litestream copy
for file in copy/state copy/coord copy/generations/*/wal/*.wal; do
	cp "$file" whole
	python3 - "$file" <<-END
		import sys
		with open(sys.argv[1], "r+b") as file:
		    file.seek(3)
		    byte = file.read(1)
		    file.seek(3)
		    file.write(bytes([byte[0] ^ 1]))
	END
	expect_exit 1 python3 "$reader" local copy >/dev/null 2>err.txt
	grep -q '^read_replica.py: ' err.txt || fail "$file: $(cat err.txt)"
	cp whole "$file"
done
python3 "$reader" local copy >/dev/null || fail 'the copy is not whole'
