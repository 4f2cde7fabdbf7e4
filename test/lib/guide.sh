# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Blocks of lsvfs-guides(7), with the paths of a test in them: /var/lib/app is
# the current folder, and so are the others below it.  After functions.sh.

: "${top_srcdir:?}"

# guide_text KIND NAME: prints the block behind the comment "KIND: NAME", as it
# stands there.
guide_text()
{
	awk -v "mark=.\\\\\" $1: $2" '
		$0 == mark { found = 1 }
		/^\.Ed/ { if (inside) exit; next }
		inside { gsub(/\\e/, "\\"); print; n++ }
		found && /^\.Bd/ { inside = 1 }
		END { exit !n }
	' "$top_srcdir/man/lsvfs-guides.7" ||
		fail "lsvfs-guides(7) has no $1 '$2'"
}

# guide KIND NAME: the same with the paths of the test.
guide()
{
	guide_text "$@" |
		sed -e "s|/var/lib/app|$PWD|g" -e "s|/mnt|$PWD|g" \
			-e "s|/etc/|$PWD/|g" -e "s|/usr/local/bin|$PWD/bin|g"
}

# guide_file NAME: writes that file.
guide_file()
{
	local into=$1

	guide file "$1" >"$into"
}

# guide_file_as_is NAME: writes it with the paths that stand there.
guide_file_as_is()
{
	local into=$1

	guide_text file "$1" >"$into"
}

# join_lines: what comes, each line that ends with a backslash and the next one
# as one.
join_lines()
{
	sed -e ':a' -e '/\\$/{' -e 'N' -e 's/\\\n//' -e 'ba' -e '}'
}

# use_guides: its configuration file, and the library and the commands where
# they would be if they were installed.
use_guides()
{
	mkdir -p bin
	ln -s "$LSVFS" "$LSVFS_RESTORE" bin/
	PATH=$PWD/bin:$PATH
	LD_LIBRARY_PATH=$(dirname "$LIBLSVFS")
	guide_file litestream.yml
	LSVFS_CONFIG=$PWD/litestream.yml
	LSVFS_OPTIONS=shutdown-sync-timeout=60s
	export PATH LD_LIBRARY_PATH LSVFS_CONFIG LSVFS_OPTIONS
}

# run NAME: those commands, each if the one before succeeds, in the shell that
# goes on.
run()
{
	local commands

	# shellcheck disable=SC2016
	commands=$(guide run "$1" | sed '$!s/$/ \&\&/')
	printf '%s\n' "$commands"
	eval "$commands"
}

# verify_units UNIT...: systemd finds nothing wrong with them.
verify_units()
{
	systemd-analyze verify --man=no "$@" >out 2>&1 || fail "$(cat out)"
	[ ! -s out ] || fail "$(cat out)"
}

# is_told_so: the guides' status says that it is on the replica.
is_told_so()
{
	run status >status.txt 2>&1 || return
	grep -q '^state  *replicated$' status.txt
}

# lose_and_restore: what wrote the database of the guides has put it on its
# replica; it is lost, and comes back the same.
lose_and_restore()
{
	eventually 60 is_replicated db.sqlite3
	sqlite3 db.sqlite3 .dump >before
	rm -r db.sqlite3* .db.sqlite3-litestream
	lsvfs restore db.sqlite3 >restore.log 2>&1 ||
		fail "$(cat restore.log)"
	sqlite3 db.sqlite3 .dump >after
	same_file before after
}
