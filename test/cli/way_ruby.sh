#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Ruby, preloaded.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
requires ruby sqlite3
ruby -e 'require "sqlite3"' 2>/dev/null || skip "ruby-sqlite3 is not installed"

cat >way.rb <<'END'
require 'sqlite3'
db = SQLite3::Database.new(ARGV[0])
db.execute('pragma journal_mode=wal')
db.execute_batch(ARGV[1])
puts db.get_first_value('select count(*) from t')
db.close
END
round_trip ruby.db preload ruby way.rb ruby.db "$way_sql"
