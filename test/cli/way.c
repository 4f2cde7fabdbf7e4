/* SPDX-License-Identifier: MIT */

/*
 * A program that uses SQLite, for the tests of the ways in.  Its arguments
 * are what it does, in order:
 *
 *	register  default        lsvfs_register(), make_default (LSVFS only)
 *	vfs=NAME                 for the opens that follow
 *	open=F  open1=F  open16=F  prints "F: <VFS of the file>"
 *	quiet                    or nothing, from now on
 *	wal                      PRAGMA journal_mode=wal, without a word
 *	sql=SQL                  on the newest connection, prints the rows
 *	close                    the newest connection
 *	locks                    prints how many locks of files it holds
 *	sync=F  status=F         lsvfs_sync(F, 10 s), lsvfs_status(F)
 *	own                      makes a VFS of its own the default
 *	shutdown  singlethread  chdir=DIR  env=NAME=VALUE
 */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_LSVFS
#include <lsvfs.h>
#endif

#define MAX_OPEN 16

static sqlite3 *open_dbs[MAX_OPEN];
static int n_open;
static const char *vfs;
static int is_quiet;

static int fail(const char *what, int rc)
{
	fprintf(stderr, "way: %s: %d %s\n", what, rc, sqlite3_errstr(rc));
	exit(1);
}

static void say_vfs(const char *file, int rc)
{
	char *name = NULL;

	if (rc != SQLITE_OK)
		fail(file, rc);
	n_open++;
	if (is_quiet)
		return;
	sqlite3_file_control(open_dbs[n_open - 1], "main", SQLITE_FCNTL_VFSNAME,
	                     &name);
	printf("%s: %s\n", file, name ? name : "?");
	sqlite3_free(name);
}

static void do_open(const char *file)
{
	say_vfs(file,
	        sqlite3_open_v2(file, &open_dbs[n_open],
	                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	                                SQLITE_OPEN_URI,
	                        vfs));
}

static void do_open1(const char *file)
{
	say_vfs(file, sqlite3_open(file, &open_dbs[n_open]));
}

static void do_open16(const char *file)
{
	unsigned short wide[256] = {0};

	for (size_t i = 0; i < strlen(file) && i < 255; i++)
		wide[i] = (unsigned char)file[i];
	say_vfs(file, sqlite3_open16(wide, &open_dbs[n_open]));
}

static int print_row(void *unused, int n, char **values, char **names)
{
	(void)unused;
	(void)names;
	for (int i = 0; i < n; i++)
		printf("%s%s", i ? "|" : "", values[i] ? values[i] : "");
	puts("");
	return 0;
}

static void do_sql(const char *sql)
{
	char *error = NULL;
	int rc = sqlite3_exec(open_dbs[n_open - 1], sql, print_row, NULL,
	                      &error);

	if (rc != SQLITE_OK) {
		fprintf(stderr, "way: %s\n", error);
		fail(sql, rc);
	}
}

static int is_wal(void *unused, int n, char **values, char **names)
{
	(void)unused;
	(void)names;
	return n != 1 || strcmp(values[0], "wal") != 0;
}

static void do_wal(const char *unused)
{
	int rc = sqlite3_exec(open_dbs[n_open - 1], "pragma journal_mode=wal",
	                      is_wal, NULL, NULL);

	(void)unused;
	if (rc != SQLITE_OK)
		fail("wal", rc);
}

static void do_close(const char *unused)
{
	int rc = sqlite3_close(open_dbs[--n_open]);

	(void)unused;
	if (rc != SQLITE_OK)
		fail("close", rc);
}

static void do_vfs(const char *name)
{
	vfs = *name ? name : NULL;
}

static void do_shutdown(const char *unused)
{
	int rc = sqlite3_shutdown();

	(void)unused;
	if (rc != SQLITE_OK)
		fail("shutdown", rc);
}

static void do_singlethread(const char *unused)
{
	int rc = sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);

	(void)unused;
	if (rc != SQLITE_OK)
		fail("singlethread", rc);
}

static void do_locks(const char *unused)
{
	FILE *file = fopen("/proc/locks", "r");
	char line[256];
	int n = 0, pid;

	(void)unused;
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*s POSIX %*s %*s %d", &pid) == 1)
			n += pid == getpid();
	}
	if (file)
		fclose(file);
	printf("locks: %d\n", n);
}

static void do_own(const char *unused)
{
	static sqlite3_vfs own;
	int rc;

	(void)unused;
	own = *sqlite3_vfs_find("unix");
	own.zName = "own";
	rc = sqlite3_vfs_register(&own, 1);
	if (rc != SQLITE_OK)
		fail("own", rc);
}

static void do_quiet(const char *unused)
{
	(void)unused;
	is_quiet = 1;
}

static void do_chdir(const char *dir)
{
	if (chdir(dir) != 0)
		fail(dir, SQLITE_CANTOPEN);
}

static void do_env(const char *text)
{
	if (putenv(strdup(text)) != 0)
		fail(text, SQLITE_NOMEM);
}

#ifdef WITH_LSVFS
static void do_register(const char *unused)
{
	int rc = lsvfs_register(NULL);

	(void)unused;
	if (rc != SQLITE_OK)
		fail("lsvfs_register", rc);
}

static void do_default(const char *options)
{
	struct lsvfs_options o = {
		.size = sizeof o,
		.make_default = 1,
		.options = options,
	};
	int rc = lsvfs_register(&o);

	if (!is_quiet)
		printf("register: %d\n", rc);
}

static void do_sync(const char *file)
{
	printf("sync: %d\n", lsvfs_sync(file, 10000));
}

static void do_status(const char *file)
{
	char *status = lsvfs_status(file);

	printf("status: %s\n", status ? status : "none");
	lsvfs_free(status);
}
#endif

static const struct {
	const char *name;
	void (*run)(const char *argument);
} verbs[] = {
#ifdef WITH_LSVFS
	{"register", do_register},
	{"default", do_default},
	{"default=", do_default},
	{"sync=", do_sync},
	{"status=", do_status},
#endif
	{"vfs=", do_vfs},
	{"open=", do_open},
	{"open1=", do_open1},
	{"open16=", do_open16},
	{"wal", do_wal},
	{"sql=", do_sql},
	{"close", do_close},
	{"own", do_own},
	{"locks", do_locks},
	{"shutdown", do_shutdown},
	{"singlethread", do_singlethread},
	{"chdir=", do_chdir},
	{"env=", do_env},
	{"quiet", do_quiet},
};

static void run(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		size_t n = strlen(verbs[i].name);
		int takes = verbs[i].name[n - 1] == '=';

		if (takes ? strncmp(word, verbs[i].name, n) == 0
		          : strcmp(word, verbs[i].name) == 0) {
			verbs[i].run(takes ? word + n : NULL);
			return;
		}
	}
	fail(word, SQLITE_MISUSE);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	while (n_open > 0)
		do_close(NULL);
	return 0;
}
