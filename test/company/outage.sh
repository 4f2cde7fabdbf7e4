#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The replica may be read-only, full, replaced by something else, or gone: the
# application's commits go on, one line says why, another that it is over, and
# what was missing is caught up with (I5, I6).  The application has no
# privileges; the full disk is a small tmpfs where one can be mounted.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"
. "$top_srcdir/test/company/company.sh"

not_under_tsan
requires sqlite3 setpriv strace

chmod 755 .
take_library_along
unprivileged=()
if [ "$(id -u)" = 0 ]; then
	unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

# begin NAME [COMMAND...]: an application in a folder of its own, replicated.
begin()
{
	name=$1
	shift
	mkdir -p "$name/backup"
	chmod 777 "$name" "$name/backup"
	cd "$name"
	export LSVFS_REPLICA_URL=$PWD/backup/%f
	app_start "${unprivileged[@]}" "$@" sqlite3 -cmd '.timeout 60000' a.db
	tell 'pragma journal_mode=wal; create table t(id integer primary key, x);'
	commits 3
	eventually 60 is_restored a.db
}

finish()
{
	app_end
	restored a.db
	objects_are a.db "$1" "$1"
	printf '%s: %s rows, %s generations\n' "$name" "$(rows a.db)" "$1"
	cd ..
}

# in_trouble WHY: commits go on, and one line says why.
in_trouble()
{
	commits 20
	eventually 60 said "cannot put to replica .*$1"
	commits 20
	says 1 'cannot put to replica'
	expect_exit 2 "$LSVFS" status a.db >told
	grep -q '^state *failing' told || fail "status: $(cat told)"
	grep -q "^error .*$1" told || fail "status: $(cat told)"
}

# healed: it catches up by itself, in the same generation, and says so once.
healed()
{
	eventually 60 is_restored a.db
	eventually 60 said 'is reached again'
	commits 1
	eventually 60 is_restored a.db
	says 1 'is reached again'
	says 1 'cannot put to replica'
	finish 1
}

begin read-only
find backup -type d -exec chmod 555 {} +
in_trouble "Permission denied ($PWD/backup/a.db/generations/.*)"
find backup -type d -exec chmod 777 {} +
healed

# Something else is where it was.
begin moved
mv backup away
: >backup
in_trouble "Not a directory ($PWD/backup/a.db/generations/.*)"
rm backup
mv away backup
healed

# A network's file system has lost the file, more than once: that is trouble like
# any other, and says nothing of the WAL.
ours="${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS"
LIBLSVFS='' begin stale strace -f -o trace -e trace=link,linkat \
	-e inject=link,linkat:error=ESTALE:when=1..2 -E LD_PRELOAD="$ours"
eventually 60 said 'cannot put to replica .*Input/output error'
eventually 60 said 'is reached again'
eventually 60 is_restored a.db
says 0 'generation .* ends'
finish 1

# small_disk FOLDER: a small file system there, or what a container has for one.
small_disk()
{
	local size

	mkdir -p "$1"
	if mount -t tmpfs -o size=1m tmpfs "$1" 2>mount.log; then
		cleanup umount "$1"
		return
	fi
	size=$(df --output=size /dev/shm 2>df.log | tail -n 1)
	[ "${size:-0}" -gt 0 ] && [ "$size" -le 262144 ] || return
	rmdir "$1"
	ln -s "$(mktemp -d /dev/shm/lsvfs-outage.XXXXXX)" "$1"
	cleanup rm -rf "$(readlink "$1")"
}

mkdir full
if small_disk "$PWD/full/backup"; then
	begin full
	dd if=/dev/zero of=backup/fill bs=4096 2>dd.log || :
	in_trouble 'No space left'
	rm backup/fill
	healed
else
	echo 'full: not tried, for want of a small file system'
fi

# Removed: nothing of it is left to go on with.
begin removed
rm -rf backup/a.db
commits 20
eventually 60 is_restored a.db
says 1 'ends: the replica lost what it had of it'
says 2 'generation .* begins'
commits 1
eventually 60 is_restored a.db
says 2 'generation .* begins'
finish 1
