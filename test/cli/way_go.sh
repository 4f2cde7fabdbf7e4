#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Go's mattn/go-sqlite3 has SQLite inside: the loadable extension.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires go sqlite3 "$(go env CC)"

cat >go.mod <<'END'
module example.org/way

go 1.21

require github.com/mattn/go-sqlite3 v1.14.53
END
cat >way.go <<'END'
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/mattn/go-sqlite3"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	file, extension, text := os.Args[1], os.Args[2], os.Args[3]
	sql.Register("loader", &sqlite3.SQLiteDriver{
		Extensions: []string{extension}})
	loader, err := sql.Open("loader", ":memory:")
	must(err)
	must(loader.Ping())
	db, err := sql.Open("sqlite3", file+"?_journal_mode=WAL")
	must(err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec(text)
	must(err)
	var n int
	must(db.QueryRow("select count(*) from t").Scan(&n))
	fmt.Println(n)
	must(db.Close())
}
END
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test
mkdir -p "$cache"
exec 9>"$cache/lock-go-sqlite3"
flock 9
# Go keeps what it compiled; -mod=mod writes the sums of what it fetched.
GOFLAGS=-mod=mod CGO_ENABLED=1 go build -o way . >build.log 2>&1 ||
	skip "cannot build mattn/go-sqlite3: $(tail -n 3 build.log)"
# The one in lsvfs-guides(7), too.
. "$top_srcdir/test/lib/guide.sh"
guide file main.go >way.go
GOFLAGS=-mod=mod CGO_ENABLED=1 go build -o guide . >build.log 2>&1 ||
	fail "$(cat build.log)"
exec 9>&-

# A Go program ends by _exit(2): nothing of ours can wait for the replica.
finish()
{
	"$LSVFS" sync -timeout 60s "$1"
}
before_loss=finish
round_trip go.db unloaded ./way go.db "$LIBLSVFS" "$way_sql"

use_guides
unloaded ./guide >out 2>&1 || fail "$(cat out)"
lsvfs restore -o guide.db db.sqlite3 >out 2>&1 || fail "$(cat out)"
[ "$(sqlite3 guide.db 'select * from note')" = 'from Go' ] || fail 'main.go'
