#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A process with two SQLites: each open goes to its caller's own; we serve the
# first that needs us, and say once that the other is not served.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/ways.sh"

not_under_tsan
case $SANITIZER in
*address*) skip "AddressSanitizer takes two libraries for one" ;;
esac

cat >module.c <<'END'
#include <sqlite3.h>
#include <stdio.h>
void run(const char *file);
void run(const char *file)
{
	char *name = NULL;
	sqlite3 *db;
	int rc = sqlite3_open(file, &db);
	sqlite3_file_control(db, "main", SQLITE_FCNTL_VFSNAME, &name);
	printf("%d %s\n", rc, name);
	sqlite3_free(name);
	sqlite3_close(db);
}
END
cat >main.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
/* [-]MODULE FILE...: opens FILE in MODULE; '-': with RTLD_GLOBAL */
int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		int global = argv[i][0] == '-';
		void *module = dlopen(argv[i] + global, RTLD_NOW |
				      (global ? RTLD_GLOBAL : RTLD_LOCAL));
		if (!module) {
			puts(dlerror());
			return 1;
		}
		((void (*)(const char *))dlsym(module, "run"))(argv[i + 1]);
	}
	return 0;
}
END
$CC -shared -fPIC -o one.so module.c -lsqlite3 2>/dev/null ||
	skip "libsqlite3-dev is not there"
system=$(ldd one.so | sed -n 's/.*libsqlite3.* => \([^ ]*\).*/\1/p')
# Another library for the loader: another file with another name inside.
sed 's/libsqlite3\.so\.0/libsqlite9.so.0/g' "$system" >libsqlite9.so.0
$CC -shared -fPIC -o two.so module.c ./libsqlite9.so.0 -Wl,-rpath,"$PWD"
ldd two.so | grep "libsqlite9.so.0 => $PWD" >found || fail "$(ldd two.so)"
$CC -o main main.c

export LSVFS_REPLICA_URL=$PWD/backup/%f
second="uses a second SQLite"
prints "0 litestream/unix" preload ./main ./one.so a.db
prints "0 litestream/unix" preload ./main ./two.so a.db
prints "0 litestream/unix
0 unix
0 unix
0 litestream/unix" preload ./main ./one.so a.db ./two.so b.db ./two.so c.db \
	./one.so d.db 2>err
[ "$(grep -c "$second" err)" = 1 ] || fail "$(cat err)"
prints "0 litestream/unix
0 unix" preload ./main ./two.so a.db ./one.so b.db 2>err
[ "$(grep -c "$second" err)" = 1 ] || fail "$(cat err)"

# A SQLite that only dlopen() made global, and a module that names none.
$CC -shared -fPIC -o none.so module.c
prints "0 litestream/unix
0 litestream/unix" preload ./main -./one.so a.db ./none.so b.db
