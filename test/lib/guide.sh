# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Blocks of lsvfs-guides(7), with the paths of a test in them: /var/lib/app is
# the current folder, and so are the others below it.  After functions.sh.

: "${top_srcdir:?}"

# guide KIND NAME: prints the block behind the comment "KIND: NAME".
guide()
{
	awk -v "mark=.\\\\\" $1: $2" '
		$0 == mark { found = 1 }
		/^\.Ed/ { if (inside) exit; next }
		inside { gsub(/\\e/, "\\"); print; n++ }
		found && /^\.Bd/ { inside = 1 }
		END { exit !n }
	' "$top_srcdir/man/lsvfs-guides.7" |
		sed -e "s|/var/lib/app|$PWD|g" -e "s|/mnt|$PWD|g" \
			-e "s|/etc/|$PWD/|g" -e "s|/usr/local/bin|$PWD/bin|g" ||
		fail "lsvfs-guides(7) has no $1 '$2'"
}

# guide_file NAME: writes that file.
guide_file()
{
	local into=$1

	guide file "$1" >"$into"
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
	export PATH LD_LIBRARY_PATH LSVFS_CONFIG
}
