#!/bin/bash
# SPDX-License-Identifier: MIT
#
# PHP, preloaded: SQLite3 and PDO.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
case $SANITIZER in
*address*) skip "AddressSanitizer refuses the RTLD_DEEPBIND of PHP's modules" ;;
esac
requires php sqlite3
php -m | grep -ix -e sqlite3 -e pdo_sqlite >modules || :
[ "$(wc -l <modules)" = 2 ] || skip "php-sqlite3 is not installed"

cat >sqlite3.php <<'END'
<?php
$db = new SQLite3($argv[1]);
$db->exec('pragma journal_mode=wal');
$db->exec($argv[2]);
echo $db->querySingle('select count(*) from t'), "\n";
END
cat >pdo.php <<'END'
<?php
$db = new PDO("sqlite:$argv[1]");
$db->exec('pragma journal_mode=wal');
$db->exec($argv[2]);
echo $db->query('select count(*) from t')->fetchColumn(), "\n";
END
for way in sqlite3 pdo; do
	round_trip $way.db preload php $way.php $way.db "$way_sql"
done
