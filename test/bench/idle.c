/* SPDX-License-Identifier: MIT */

/*
 * What open databases cost while nothing happens: context switches a second,
 * threads, and resident memory for each database.
 *
 *	idle VFS N SECONDS [quiet]        "quiet": opened and read, no commit
 */

#include "test/bench/measure.h"

#include <dirent.h>
#include <sys/resource.h>

/* A number of /proc/self/.../status. */
static long number(const char *file, const char *name)
{
	FILE *f = fopen(file, "re");
	char line[256];
	long value = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static long switches(long *n_threads)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	long sum = 0;

	*n_threads = 0;
	if (!tasks)
		give_up("/proc/self/task: %s", strerror(errno));
	while ((task = readdir(tasks)) != NULL) {
		char file[300];

		if (task->d_name[0] == '.')
			continue;
		snprintf(file, sizeof file, "/proc/self/task/%s/status",
		         task->d_name);
		sum += number(file, "voluntary_ctxt_switches:");
		++*n_threads;
	}
	closedir(tasks);
	return sum;
}

static sqlite3 *open_one(const char *vfs, int i, bool commits)
{
	char path[64];
	sqlite3 *db;

	snprintf(path, sizeof path, "idle%d.db", i);
	if (commits)
		return create_db(path, vfs, "normal");
	/* As a program finds them that starts: written by an earlier one. */
	sqlite3_close(create_db(path, BARE, "off"));
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, vfs) != SQLITE_OK)
		give_up("%s: %s", path, sqlite3_errmsg(db));
	do_sql(db, "select count(*) from t");
	return db;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	int seconds = argc > 3 ? atoi(argv[3]) : 0;
	struct rlimit files;
	long before, rss, after, n_threads;

	if (n < 1 || seconds < 1)
		give_up("usage: idle VFS N SECONDS [quiet]");
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		give_up("RLIMIT_NOFILE: %s", strerror(errno));
	use_replica("backup", NULL);
	open_one(argv[1], 0, argc == 4);
	rss = number("/proc/self/status", "VmRSS:");
	for (int i = 1; i <= n; i++)
		open_one(argv[1], i, argc == 4);
	for (int i = 0; strcmp(argv[1], OURS) == 0 && i <= n; i++) {
		char path[64];

		snprintf(path, sizeof path, "idle%d.db", i);
		lsvfs_sync(path, 60000);
	}
	sleep(2);
	before = switches(&n_threads);
	sleep((unsigned)seconds);
	after = switches(&n_threads);
	/* One of them is ours: the sleep. */
	printf("%.2f %ld %.2f\n", (double)(after - before - 1) / seconds,
	       n_threads,
	       (double)(number("/proc/self/status", "VmRSS:") - rss) / n);
	fflush(stdout);
	_exit(0);
}
