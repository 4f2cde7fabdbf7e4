#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Node's better-sqlite3 has SQLite inside: the loadable extension.  Built from
# source against the headers that are there, once, and kept outside the tree.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires node npm make c++ python3 sqlite3

# Version 12 needs Node 20, and 11.10.0 is for Node 18.
major=$(node -p 'process.versions.node.split(".")[0]')
case $major in
1[0-7] | ?) skip "node $major is too old for better-sqlite3" ;;
18 | 19) version=11.10.0 ;;
*) version=12.11.1 ;;
esac
headers=$(npm config get nodedir)
[ -d "$headers" ] || headers=$(realpath "$(dirname "$(command -v node)")/..")
requires_file "$headers/include/node/node.h"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lsvfs-test/better-sqlite3-$version-$major
module=$cache/node_modules/better-sqlite3
addon=$module/build/Release/better_sqlite3.node
build()
{
	rm -rf "$module"
	(cd "$cache" && echo '{"private": true}' >package.json &&
		npm install --ignore-scripts "better-sqlite3@$version" &&
		cd "$module" &&
		npm exec --yes -- node-gyp rebuild --release \
			--nodedir="$headers") >"$cache/log" 2>&1
}
mkdir -p "$cache"
# Tests run beside each other; one of them builds.
exec 9>"$cache/lock"
flock 9
[ -e "$addon" ] || build ||
	skip "cannot build better-sqlite3 $version: $(tail -n 3 "$cache/log")"
exec 9>&-

cat >way.js <<'END'
const Database = require(process.env.MODULE);
const [file, extension, sql] = process.argv.slice(2);
new Database(':memory:').loadExtension(extension);
const db = new Database(file);
db.pragma('journal_mode = wal');
db.exec(sql);
console.log(db.prepare('select count(*) from t').pluck().get());
db.close();
END
MODULE=$module round_trip node.db unloaded node way.js node.db "$LIBLSVFS" \
	"$way_sql"

# The one in lsvfs-guides(7).
. "$top_srcdir/test/lib/guide.sh"
use_guides
guide_file app.js
NODE_PATH=$cache/node_modules unloaded node app.js >out 2>&1 ||
	fail "$(cat out)"
grep -q '{ state: ' out || fail "$(cat out)"
lsvfs sync -timeout 1m db.sqlite3
lsvfs restore -o guide.db db.sqlite3 >out 2>&1 || fail "$(cat out)"
[ "$(sqlite3 guide.db 'select * from note')" = 'from Node' ] || fail 'app.js'
