#!/bin/bash
# SPDX-License-Identifier: MIT
#
#	packages.sh [-required] NAME...
#
# An archive (tar) of the files of these packages, and of all on which they
# depend, as they are installed on this machine: what apt would unpack, without
# a network.  -required: what a minimal system has.  Manuals stay away.

set -eu -o pipefail
export LC_ALL=C

names=()
for name; do
	case $name in
	-required)
		mapfile -t -O "${#names[@]}" names < <(dpkg-query -W \
			-f '${Priority}:${Essential} ${Package}\n' |
			sed -n -e 's/^required:[^ ]* //p' -e 's/^[^ ]*:yes //p')
		;;
	-*) ;;
	*)
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null |
			grep -q ' installed$' || {
			echo "E: $name is not installed here" >&2
			exit 100
		}
		names+=("$name")
		;;
	esac
done
[ "${#names[@]}" -gt 0 ] || exit 0

# The second pass takes what of them is really there.
mapfile -t names < <(
	printf '%s\n' "${names[@]}"
	apt-cache depends --recurse --installed --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances \
		"${names[@]}" | grep '^[a-z0-9]'
)
mapfile -t names < <(
	dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' \
		"${names[@]}" 2>/dev/null | sed -n 's/^ii  *//p' | sort -u
)

# /bin is usr/bin, and so are they; but packages still say /bin/sh.
merged=()
to_usr=()
for folder in bin lib lib32 lib64 libx32 sbin; do
	[ -L "/$folder" ] || continue
	merged+=("/$folder")
	to_usr+=(-e "s|^/$folder/|/usr/$folder/|")
done

files=$(dpkg-query -L "${names[@]}" |
	grep -E '^/[^.]' |
	grep -Ev '^/usr/share/(doc|man|locale|info|lintian|bug)/' |
	sed "${to_usr[@]}" -e '' | sort -u)

# What an installation chooses by itself: cc is gcc.
alternatives=$(find /usr/bin -lname '/etc/alternatives/*' |
	while IFS= read -r link; do
		! grep -qxF "$(readlink -f "$link")" <<<"$files" ||
			printf '%s\n' "$link" "$(readlink "$link")"
	done)

printf '%s\n' "${merged[@]}" "$files" "$alternatives" |
	while IFS= read -r file; do
		[ ! -r "$file" ] || printf '%s\n' "$file"
	done | tar -c -C / --no-recursion -T - 2>/dev/null
