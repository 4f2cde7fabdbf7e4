#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs-restore's options: what each promises about the output, its exit
# status, and which stream it speaks on.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3 tar
tar -xzf "$top_srcdir/test/golden/ours-good.tar.gz"
gen=0123456789abcdef

# run STATUS [OPTION...]: stdout in out.txt, stderr in err.txt
run()
{
	local status=$1
	shift

	expect_exit "$status" "$LSVFS_RESTORE" "$@" >out.txt 2>err.txt
}

quiet()
{
	[ ! -s "$1" ] || fail "$1: $(cat "$1")"
}

says()
{
	grep -qE -- "$2" "$1" || fail "no '$2' in $1: $(cat "$1")"
}

# Nothing of a restore is left beside the database.
clean()
{
	local left

	left=$(find . -name '.*lsvfs-restore*' -o -name '.*spool*')
	[ "$left" = '' ] || fail "left behind: $left"
}

# Usage: status 2, one line on stderr, nothing on stdout.
while IFS='|' read -r args text; do
	# shellcheck disable=SC2086 # words
	run 2 $args
	quiet out.txt
	says err.txt "^error: .*$text"
	[ "$(wc -l <err.txt)" = 1 ] || fail "$(cat err.txt)"
done <<'END'
|expected a database or the URL
replica|expected -o PATH
-o out.db|expected a database or the URL
-o out.db replica again|'again' is one too many
-o|expected a value
-bogus -o out.db replica|-bogus: no such option
-o out.db -timestamp yesterday replica|-timestamp yesterday: expected
-o out.db -txid seven replica|-txid seven: expected
-o out.db -txid -1 replica|-txid -1: expected
-o out.db -txid 07 replica|-txid 07: expected a decimal .*hexadecimal
-o out.db -txid 0000000000000010 replica|-txid 0+10: expected a decimal .*hexadecimal
-o out.db -txid 1234567890123456 replica|expected a decimal .*hexadecimal
-o out.db -txid 00000000000000ff replica|expected a decimal .*hexadecimal
-o out.db -txid 0x10 replica|-txid 0x10: expected a number
-o out.db -index 0 replica|-index needs -generation
-o out.db -index zz replica|-index zz: expected
-o out.db -generation ABC replica|-generation ABC: expected
-o out.db -parallelism 0 replica|-parallelism 0: expected
-o out.db -integrity-check some replica|none, quick or full
-o out.db -txid 1 -timestamp 2020-01-01T00:00:00Z replica|exclude each other
-o out.db file://host/replica|file:///path
END

run 0 -help
quiet err.txt
awk 'length > 79' out.txt >wide.txt
quiet wide.txt
mv out.txt help.txt
run 0 --help
same_file out.txt help.txt
run 0 -h
same_file out.txt help.txt
run 0 -version
says out.txt '^lsvfs-restore [0-9.]+$'

# As Litestream's, -v is talkative.
run 0 -v -o talked.db replica
says out.txt '^restored talked.db: '
says err.txt '^fetches generations/.* WAL segments?, .* from replica$'
run 0 -o quiet.db replica
quiet err.txt
same_file talked.db quiet.db

# One dash or two, a value apart or with '='; options behind the URL.
run 0 -o out.db replica
same_file out.db expected.db
quiet err.txt
says out.txt "^restored out.db: txid 9 of 2023-11-14T22:13:29.000000000Z, \
position $gen/00000002:00000cb0, [0-9.]+ kB\$"
[ "$(cat .out.db-litestream/parent)" = "$gen/00000002:00000cb0" ] ||
	fail "parent: $(cat .out.db-litestream/parent)"
[ "$(stat -c %a out.db)" = 600 ] || fail "mode $(stat -c %a out.db)"
rm -r out.db .out.db-litestream
run 0 replica --txid=7 --o out.db
says out.txt 'txid 7 of'
run 0 "file://$PWD/replica" -o deep/er/out.db -generation $gen
same_file deep/er/out.db expected.db
clean

# -json is one object.
run 0 -json -o json.db replica
python3 - <<-'END' || fail "$(cat out.txt)"
	import json
	r = json.load(open("out.txt"))
	assert r["output"] == "json.db" and r["txid"] == 9
	assert r["generation"] == "0123456789abcdef"
	assert r["position"] == "0123456789abcdef/00000002:00000cb0"
	assert r["time"] == "2023-11-14T22:13:29.000000000Z"
	assert r["writer"] == "lsvfs" and r["dry_run"] is False
	assert len(r["page_hash"]) == 16 and r["segments"] == 2
	import os
	assert r["size"] == os.path.getsize("json.db")
END

# -dry-run writes nothing.
run 0 -dry-run -o dry.db -txid 3 replica
says out.txt '^would restore dry.db: txid 3 of'
run 0 -dry-run replica
says out.txt '^would restore: txid 9 of'
[ ! -e dry.db ] || fail '-dry-run wrote'

# What exists is left alone, side files too.
for side in '' -wal -shm -journal; do
	echo old >"old.db$side"
	run 5 -o old.db replica
	quiet out.txt
	says err.txt "^error: cannot restore: old.db$side exists"
	[ "$(cat "old.db$side")" = old ] || fail "touched old.db$side"
	run 5 -dry-run -o old.db replica
	rm "old.db$side"
done
echo old >old.db
run 0 -if-db-not-exists -o old.db replica
quiet out.txt
says err.txt 'old.db exists'
[ "$(cat old.db)" = old ] || fail '-if-db-not-exists touched it'
run 0 -if-db-not-exists -o fresh.db replica
same_file fresh.db expected.db

# No replica.
mkdir empty
for url in empty nowhere; do
	run 3 -o none.db $url
	says err.txt "^error: no backup found in $url"
	run 0 -if-replica-exists -o none.db $url
	[ ! -e none.db ] || fail 'a database out of nothing'
done
run 0 -if-replica-exists -o some.db replica
same_file some.db expected.db
run 3 -if-replica-exists -o none.db -timestamp 2001-01-01T00:00:00Z replica
run 1 -o none.db old.db
says err.txt 'Not a directory'
run 2 -o none.db 's3://bucket/db?nonsense=1'
says err.txt "no option is called 'nonsense'"

# -force replaces, with the old mode, and takes the side files away.
rm -f old.db*
sqlite3 old.db 'CREATE TABLE old(a)'
chmod 640 old.db
echo x >old.db-wal
echo x >old.db-journal
run 0 -force -o old.db replica
same_file old.db expected.db
[ ! -e old.db-wal ] || fail 'old.db-wal is still there'
[ ! -e old.db-journal ] || fail 'old.db-journal is still there'
[ "$(stat -c %a old.db)" = 640 ] || fail "mode $(stat -c %a old.db)"
clean

# A symbolic link stays one.
mkdir real
cp expected.db real/app.db
ln -s real/app.db link.db
run 0 -force -txid 2 -o link.db replica
[ -L link.db ] || fail 'the link was replaced'
[ "$(sqlite3 real/app.db 'SELECT count(*) FROM t')" = 2 ] || fail 'not txid 2'
[ -e real/.app.db-litestream/parent ] || fail 'no parent beside the real file'

# When it fails, all is as it was.
rm -f old.db*
sqlite3 old.db 'PRAGMA journal_mode=WAL; CREATE TABLE old(a)' >/dev/null
echo x >old.db-journal
cp old.db before.db
mkdir broken
tar -xzf "$top_srcdir/test/golden/ours-flip-table.tar.gz" -C broken
run 4 -force -o old.db broken/replica
same_file old.db before.db
[ "$(cat old.db-journal)" = x ] || fail 'the journal is gone'
rm old.db-journal
clean

# In use: by a connection that has read, in WAL mode and in DELETE mode.
in_use()
{
	python3 - "$1" "$2" <<-'END' &
		import sqlite3, sys, time, os
		db = sqlite3.connect(sys.argv[1])
		db.execute("PRAGMA journal_mode=" + sys.argv[2])
		db.execute("BEGIN")
		db.execute("SELECT * FROM old").fetchall()
		open("ready", "w")
		while os.path.exists("ready"):
		    time.sleep(0.01)
	END
	eventually 10 test -e ready
	cp "$1" before.db
	run 5 -force -o "$1" replica
	says err.txt 'in use'
	quiet out.txt
	same_file "$1" before.db
	rm ready
	wait
}
in_use old.db WAL
in_use old.db DELETE
clean
run 0 -force -o old.db replica
same_file old.db expected.db

# A directory is no database.
mkdir dir.db
run 5 -force -o dir.db replica
says err.txt 'no regular file'

# The manual and -help have the same options.
sed -En 's/^  -([a-z-]+).*/\1/p' help.txt | sort >in_help.txt
sed -En 's/^\.It Fl ([a-z-]+).*/\1/p' "$top_srcdir/man/lsvfs-restore.1" | sort \
	>in_manual.txt
[ "$(wc -l <in_help.txt)" -ge 14 ] || fail "$(cat in_help.txt)"
same_file in_help.txt in_manual.txt

# When the last step fails, the side files are back.
if [ -z "$SANITIZER" ]; then
	cat >rename.c <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <errno.h>
		#include <stdio.h>
		#include <string.h>

		int rename(const char *from, const char *to)
		{
			int (*real)(const char *, const char *) =
				(int (*)(const char *, const char *))dlsym(
					RTLD_NEXT, "rename");
			size_t n = strlen(to);

			if (n >= 3 && strcmp(to + n - 3, ".db") == 0) {
				errno = EIO;
				return -1;
			}
			return real(from, to);
		}
	END
	"${CC:-cc}" -shared -fPIC -o rename.so rename.c -ldl
	rm -rf old.db*
	sqlite3 old.db 'PRAGMA journal_mode=WAL; CREATE TABLE old(a)' >/dev/null
	echo x >old.db-wal
	cp old.db before.db
	LD_PRELOAD=$PWD/rename.so run 1 -force -o old.db replica
	says err.txt 'Input/output error'
	same_file old.db before.db
	[ "$(cat old.db-wal)" = x ] || fail 'the WAL is gone'
	clean
fi
