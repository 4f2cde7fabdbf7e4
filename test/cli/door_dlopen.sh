#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Our dlopen() is entered and left as if it were not there: the caller's
# RUNPATH counts, and RTLD_DEEPBIND goes from names with "sqlite" only.
#
# shellcheck disable=SC2016 # $ORIGIN is the loader's

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

case $SANITIZER in
*address*) skip "AddressSanitizer's own dlopen() loses the caller" ;;
esac
not_under_tsan

cat >dep.c <<'END'
int depth(void) { return 7; }
END
cat >plugin.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int run(void)
{
	void *dep = dlopen("libdep.so", RTLD_NOW);
	if (!dep) {
		puts(dlerror());
		return 1;
	}
	printf("%d\n", ((int (*)(void))dlsym(dep, "depth"))());
	return 0;
}
END
cat >module.c <<'END'
#include <sqlite3.h>
#include <stdio.h>
int run(void)
{
	char *name = NULL;
	sqlite3 *db;
	sqlite3_open("a.db", &db);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_VFSNAME, &name);
	puts(name);
	sqlite3_free(name);
	sqlite3_close(db);
	return 0;
}
END
cat >main.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	int flags = RTLD_NOW | (argc > 2 ? RTLD_DEEPBIND : 0);
	void *plugin = dlopen(argv[1], flags);
	if (!plugin) {
		puts(dlerror());
		return 1;
	}
	return ((int (*)(void))dlsym(plugin, "run"))();
}
END
mkdir -p deps
$CC -shared -fPIC -o deps/libdep.so dep.c
$CC -shared -fPIC -o plugin.so plugin.c -Wl,-rpath,'$ORIGIN/deps' \
	-Wl,--enable-new-dtags
$CC -o main main.c

prints 7 ./main ./plugin.so
prints 7 preload ./main ./plugin.so
# By DT_RUNPATH of the main program, and by a name that is not there.
$CC -o with-runpath main.c -Wl,-rpath,'$ORIGIN/lib' -Wl,--enable-new-dtags
mkdir lib
cp -r deps lib
cp plugin.so lib/libplugin.so
prints 7 preload ./with-runpath libplugin.so deep
expect_exit 1 preload ./main ./none.so >out
grep -q 'none.so: cannot open shared object file' out || fail "$(cat out)"

# As PHP loads its modules.
export LSVFS_REPLICA_URL=$PWD/backup/%f
$CC -shared -fPIC -o pdo_sqlite.so module.c -lsqlite3 2>/dev/null ||
	skip "libsqlite3-dev is not there"
mkdir -p sqlite
cp pdo_sqlite.so sqlite/other.so
prints litestream/unix preload ./main ./pdo_sqlite.so deep
prints litestream/unix preload ./main ./sqlite/other.so
prints unix preload ./main ./sqlite/other.so deep
