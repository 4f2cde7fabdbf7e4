#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The Dockerfile of lsvfs-guides(7), each of its lines, in roots that are made
# of nothing but the files of Debian's packages; apt-get alone is another, that
# takes these files from this machine: no network is needed, and what a list of
# packages lacks is missing.  Then its containers are run, stopped and lost.
# Where nothing may be mounted, it is the entry point that is run.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/guide.sh"

[ -z "$SANITIZER" ] || skip 'it builds what is shipped'
requires unshare chroot dpkg-query apt-cache tar
packages=$top_srcdir/test/lib/packages.sh

# inside ROOT FOLDER COMMAND...: runs it there, as process 1 and as root.  The
# mounts go away with it.
namespaces=(unshare --mount --pid --fork --kill-child)
[ "$(id -u)" = 0 ] || namespaces+=(--map-root-user)
inside()
{
	# shellcheck disable=SC2016
	exec "${namespaces[@]}" sh -ec '
		root=$1 folder=$2
		shift 2
		mount --rbind /dev "$root/dev"
		mount --rbind / "$root/host"
		mount -t proc proc "$root/proc"
		exec env -i HOME=/root PATH=/usr/local/sbin:$PATH CFLAGS=-O0 \
			LSVFS_OPTIONS=shutdown-sync-timeout=60s chroot "$root" \
			sh -ec "cd \"\$0\"; exec \"\$@\"" "$folder" "$@"
	' sh "$@"
}

# from_debian ROOT: what debian:12 is.
from_debian()
{
	mkdir "$1"
	bash "$packages" -required apt >base.tar || fail 'no minimal system'
	tar -x --no-same-owner -C "$1" -f base.tar
	mkdir -p "$1/host"
	cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
	rm "$1/usr/bin/apt-get"
	cat >"$1/usr/bin/apt-get" <<-END
		#!/bin/sh
		case \$1 in
		update) exit ;;
		install) shift ;;
		*) exit 100 ;;
		esac
		chroot /host bash '$packages' "\$@" >/tmp/packages &&
			tar -x --no-same-owner --skip-old-files -C / -f /tmp/packages
	END
	chmod +x "$1/usr/bin/apt-get"
}

# from_clone FOLDER: the source as a clone has it.
from_clone()
{
	local names=(LICENSE Makefile.am README.md bootstrap configure.ac
		.ci man replica test tools vfs)

	mkdir "$1"
	tar -c -C "$top_srcdir" --exclude='*.l[ao]' --exclude='*.o' \
		--exclude=.libs --exclude=.deps "${names[@]}" | tar -x -C "$1"
	chmod -R u+w "$1"
}

# json_words ARRAY: its words, one a line.
json_words()
{
	tr -d '[]"' <<<"$1" | sed 's/, */\n/g'
}

# copy [--from=STAGE] NAME... INTO
copy()
{
	local from=. into=${!#}

	case $1 in
	--from=*)
		from=${1#*=}
		shift
		;;
	esac
	case $into in
	*/) mkdir -p "$root/$into" ;;
	esac
	while [ $# -gt 1 ]; do
		if [ -d "$from/$1" ]; then
			mkdir -p "$root/$into"
			cp -a "$from/$1/." "$root/$into"
		else
			cp -a "$from/$1" "$root/$into"
		fi
		shift
	done
}

# instruct INSTRUCTION REST: one line of a Dockerfile.
instruct()
{
	local words

	read -r -a words <<<"$2"
	case $1 in
	FROM)
		[ "${words[0]}" = debian:12 ] || fail "FROM $2"
		root=${words[2]-image}
		folder=/
		from_debian "$root"
		;;
	COPY)
		copy "${words[@]}"
		;;
	RUN)
		(inside "$root" "$folder" sh -c "$2") >log 2>&1 </dev/null ||
			fail "exit $?: RUN $2"$'\n'"$(tail -n 30 log)"
		;;
	WORKDIR)
		folder=$2
		mkdir -p "$root/$folder"
		;;
	ENTRYPOINT | CMD)
		mapfile -t -O "${#start[@]}" start < <(json_words "$2")
		;;
	*)
		fail "$1: what is that?"
		;;
	esac
}

# It ends when it is told to, as a program that is process 1 has to.
cat >app.py <<'END'
import signal
import sqlite3
import sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
db = sqlite3.connect('db.sqlite3')
with db:
    db.execute('CREATE TABLE IF NOT EXISTS start (x)')
    db.execute('INSERT INTO start VALUES (1)')
print(db.execute('SELECT count(*) FROM start').fetchone()[0], flush=True)
while True:
    signal.pause()
END

# started: the program has said which start it is, or is gone.
started()
{
	grep -qx '[0-9][0-9]*' out || ! kill -0 "$background_pid" 2>/dev/null
}

# starts LOSE PROCESS COMMAND...: each start is without a database, which LOSE
# took, and has what the one before it had, up to its last commit.  It is told
# to end by PROCESS, of what was started.
starts()
{
	local n lose=$1 process=$2
	shift 2

	for n in 1 2 3; do
		"$lose"
		background "$@" >out 2>err
		eventually 60 started
		[ "$(tail -n 1 out)" = "$n" ] || fail "start $n: $(cat out err)"
		kill -TERM "$("$process" "$background_pid")"
		wait "$background_pid" || fail "stop $n: exit $?: $(cat err)"
	done
}

lose_database()
{
	rm -rf db.sqlite3* .db.sqlite3-litestream
}

mkdir -p probe/dev probe/host probe/proc
if ! (inside probe / true) 2>probe.err &&
	! grep -q 'failed to run command' probe.err; then
	printf 'Nothing may be mounted here (%s): the entry point alone.\n' \
		"$(tail -n 1 probe.err)"
	use_guides
	guide_file entrypoint.sh
	starts lose_database echo sh entrypoint.sh python3 app.py
	exit
fi

from_clone lsvfs
for file in Dockerfile entrypoint.sh litestream.yml; do
	guide_file_as_is "$file"
done

root=
folder=
start=()
while read -r instruction rest <&3; do
	[ -z "$instruction" ] || instruct "$instruction" "$rest"
done 3< <(join_lines <Dockerfile)
[ "${#start[@]}" -gt 0 ] || fail 'the Dockerfile starts nothing'

# What is a volume stays, and nothing else.
new_container()
{
	rm -rf "${root:?}/$folder"
	mkdir -p "$root/$folder" "$root/mnt/backup"
}

# Process 1 of its namespace, outside.
process_1()
{
	tr -d ' ' <"/proc/$1/task/$1/children"
}
starts new_container process_1 inside "$root" "$folder" "${start[@]}"
