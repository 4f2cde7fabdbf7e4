#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs-guides(7), Rails: an application that Debian's Rails generates writes
# through Active Record from Puma's workers and loses its database; once with
# the initializer that loads the extension, once preloaded.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/guide.sh"

[ -z "$SANITIZER" ] || skip 'Ruby would be preloaded without the sanitizer'
requires sqlite3 ruby rails bundle puma systemd-analyze
use_guides

export HOME=$PWD RAILS_ENV=production SECRET_KEY_BASE=secret
generate()
{
	rails new . --minimal --skip-bundle --skip-git --skip-test \
		--skip-javascript --force &&
		printf "gem '%s'\n" rails sqlite3 puma >Gemfile &&
		bundle lock --local &&
		bin/rails generate model Note text:string
}
generate >out 2>&1 || fail "$(cat out)"
guide file database.yml >config/database.yml
cat >config/routes.rb <<'END'
Rails.application.routes.draw { post 'notes', to: 'notes#create' }
END
cat >app/controllers/notes_controller.rb <<'END'
class NotesController < ActionController::API
  def create
    Note.create!(text: "by #{Process.pid}")
    head :created
  end
end
END

# requests N: so many from each of four clients at once; prints how many made a
# note.
cat >requests.rb <<'END'
require 'socket'
answers = Array.new(4) do
  Thread.new do
    Array.new(ARGV[0].to_i) do
      UNIXSocket.open('puma.sock') do |socket|
        socket.write("POST /notes HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        socket.read[/^HTTP\S* (\d+)/, 1]
      end
    end
  end
end.flat_map(&:value)
puts answers.count('201')
END

# is_up: it answers at all.
is_up()
{
	[ -S puma.sock ] && ruby -rsocket -e "UNIXSocket.open('puma.sock')" \
		2>/dev/null
}

# serve COMMAND...: a server with two workers, and 40 notes by them.
serve()
{
	background "$@" >server.log 2>&1
	eventually 60 is_up
	[ "$(ruby requests.rb 10)" = 40 ] || fail "$(cat server.log)"
	kill_quietly "$background_pid" TERM
	! grep '^error: ' server.log || fail 'the server is not content'
}

# notes N: the database is lost, comes back, and has so many.
notes()
{
	lose_and_restore
	[ "$(sqlite3 db.sqlite3 'select count(*) from notes')" = "$1" ] ||
		fail "not $1 notes"
}

guide_file puma.service
sed -i '/^User=/d' puma.service
verify_units ./puma.service
start=$(join_lines <puma.service | sed -n 's/^ExecStart=//p')
read -r -a start <<<"$start"

# Preloaded, as the unit starts it.
preload_rails()
{
	LD_PRELOAD=liblsvfs.so bin/rails "$@"
}
preload_rails db:migrate >out 2>&1 || fail "$(cat out)"
eventually 60 is_told_so
serve "${start[@]}"
notes 40

# The extension, with which the guide's commands bring the database back and go
# on with it.
guide file lsvfs.rb >config/initializers/lsvfs.rb
rm -r db.sqlite3* .db.sqlite3-litestream
run rails >out 2>&1 || fail "$(cat out)"
serve bundle exec puma -w 2 -t 1 --preload -b "unix://$PWD/puma.sock"
notes 80
