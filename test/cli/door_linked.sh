#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A C program linked with us, shared and static, as pkg-config says after
# `make install`; and one that only happens to be linked with us.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

requires make pkg-config

install_here()
{
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
		make -C "$top_builddir" install DESTDIR="$PWD/root" \
		>install.log 2>&1 || fail "make install: $(cat install.log)"
}
install_here
pc=$(find root -name lsvfs.pc)
[ "$pc" ] || fail "lsvfs.pc is not installed"
libdir=$PWD/$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$PWD/$(dirname "$pc")
export PKG_CONFIG_PATH
# What was installed below DESTDIR is there, not where it says.
prefix=$PWD/root$(pkg-config --variable=prefix lsvfs)
flags()
{
	pkg-config --define-variable=prefix="$prefix" "$@"
}

for file in liblsvfs.so liblsvfs.so.0 liblsvfs.a lsvfs/lsvfs-engine.so; do
	[ -e "$libdir/$file" ] || fail "$file is not installed"
done
[ -e "$prefix/include/lsvfs.h" ] || fail "lsvfs.h is not installed"

read -r -a shared <<<"$(flags --cflags --libs lsvfs) -Wl,-rpath,$libdir"
compile_way shared -DWITH_LSVFS "${shared[@]}"
read -r -a static_flags <<<"$(flags --cflags --libs lsvfs-static)"
compile_way static -DWITH_LSVFS "${static_flags[@]}"

# Whoever links the shared one needs nothing of what the other is made of.
mkdir alone
sqlite_pc=$(pkg-config --variable=pcfiledir sqlite3)/sqlite3.pc
cp "$PKG_CONFIG_PATH/lsvfs.pc" "$sqlite_pc" alone/
PKG_CONFIG_LIBDIR=$PWD/alone PKG_CONFIG_PATH='' flags --cflags --libs lsvfs \
	>alone.flags || fail 'lsvfs.pc needs more than SQLite'

ldd shared | grep "$libdir/liblsvfs.so" >found || fail "'shared' is not"
! ldd static | grep liblsvfs >found || fail "'static' is shared"
! nm -D --defined-only static | grep -E ' (sqlite3_open|dlopen)$' ||
	fail "liblsvfs.a has interposers"

for program in ./shared ./static; do
	# By name; I14: what names no replica is opened by the real VFS.
	prints "file:a.db?replica=$PWD/b: litestream/unix
b.db: unix" $program register vfs=litestream \
		"open=file:a.db?replica=$PWD/b" open=b.db

	# By default, with options from the program and from outside.
	prints "register: 0
file:a.db?replica=$PWD/b: litestream/unix" $program \
		default=sync-interval=100ms "open=file:a.db?replica=$PWD/b"
	LSVFS_REPLICA_URL=$PWD/b/%f prints "register: 0
a.db: litestream/unix" $program default open=a.db

	# A wrong option is refused (21: SQLITE_MISUSE), and said.
	prints "register: 21
a.db: unix" $program default=sync-interval=1 open=a.db 2>err
	grep -q "cannot use 'sync-interval=1' in lsvfs_options.options" err ||
		fail "$(cat err)"
	LSVFS_REPLICA_URL=$PWD/b/%y prints "register: 21" $program default \
		2>err
	grep -q 'cannot use the replica URL' err || fail "$(cat err)"

	# What is not replicated has no status, and nothing to wait for (12:
	# SQLITE_NOTFOUND), before and after lsvfs_register().
	prints "status: none
sync: 12
status: none
sync: 12" $program status=a.db sync=a.db register status=a.db sync=a.db
done

# Linked, but never asked: we pass straight on, whatever the link order.
export LSVFS_REPLICA_URL=$PWD/backup/%f
for order in '-llsvfs -lsqlite3' '-lsqlite3 -llsvfs'; do
	read -r -a libs <<<"$order"
	compile_way linked -L"$libdir" -Wl,-rpath,"$libdir" \
		-Wl,--no-as-needed "${libs[@]}"
	prints "a.db: unix
a.db: unix
a.db: unix" ./linked open=a.db open1=a.db open16=a.db
done

# The same through a library that is linked with us, and brings in SQLite
# behind us: its opens do come to our interposers.
cat >library.c <<'END'
#include <sqlite3.h>
#include <stdio.h>
const char *lsvfs_version(void);
void run(const char *file);
void run(const char *file)
{
	char *name = NULL;
	sqlite3 *db;
	if (!lsvfs_version() || sqlite3_open(file, &db) != SQLITE_OK)
		return;
	sqlite3_file_control(db, "main", SQLITE_FCNTL_VFSNAME, &name);
	puts(name);
	sqlite3_free(name);
	sqlite3_close(db);
}
END
cat >main.c <<'END'
void run(const char *file);
int main(void)
{
	run("a.db");
	return 0;
}
END
"${compile[@]}" -shared -fPIC -o libuser.so library.c -L"$libdir" \
	-Wl,-rpath,"$libdir" -Wl,--no-as-needed -llsvfs -lsqlite3
"${compile[@]}" -o linked main.c -L. -Wl,-rpath,"$PWD" -luser \
	-Wl,-rpath-link,"$libdir"
prints unix ./linked
