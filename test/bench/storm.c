/* SPDX-License-Identifier: MIT */

/*
 * Many one-row commits: how large the WAL file becomes, and whether a commit
 * fails that would not fail without us.  The database and the replica stay for
 * whoever calls this, to restore and compare.
 *
 *	storm [-vfs NAME] [-commits N] [-writers N] [-no-checkpoint]
 */

#include "test/bench/measure.h"

#include <getopt.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>

static struct {
	const char *vfs;
	int n_writers;
	long n_commits;
	bool no_checkpoint;
	_Atomic(long) left;
	_Atomic(long) n_failed;
	_Atomic(long) n_busy;
	_Atomic(long) wal_max;
} run = {.vfs = OURS, .n_writers = 1, .n_commits = 200000};

static void look_at_wal(void)
{
	struct stat st;
	long max = run.wal_max;

	if (stat("storm.db-wal", &st) < 0)
		return;
	while (st.st_size > max &&
	       !atomic_compare_exchange_weak(&run.wal_max, &max, st.st_size))
		;
}

static sqlite3 *open_again(void)
{
	sqlite3 *db;

	if (sqlite3_open_v2("storm.db", &db, SQLITE_OPEN_READWRITE, run.vfs) !=
	    SQLITE_OK)
		give_up("storm.db: %s", sqlite3_errmsg(db));
	do_sql(db, "pragma synchronous=normal");
	sqlite3_busy_timeout(db, 10000);
	if (run.no_checkpoint)
		do_sql(db, "pragma wal_autocheckpoint=0");
	return db;
}

static void *write_rows(void *arg)
{
	sqlite3 *db = open_again();
	sqlite3_stmt *insert = prepare(
		db, "insert into t (b) values (randomblob(100))");

	(void)arg;
	while (run.left-- > 0) {
		int rc = sqlite3_step(insert);

		sqlite3_reset(insert);
		run.n_failed += rc != SQLITE_DONE;
		run.n_busy += rc == SQLITE_BUSY;
		if (run.left % 64 == 0)
			look_at_wal();
	}
	sqlite3_finalize(insert);
	sqlite3_close(db);
	return NULL;
}

static size_t count(const char *pattern)
{
	glob_t found;
	size_t n;

	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"vfs", required_argument, NULL, 'v'},
		{"commits", required_argument, NULL, 'c'},
		{"writers", required_argument, NULL, 'w'},
		{"no-checkpoint", no_argument, NULL, 'n'},
		{0},
	};
	int c;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == 'v')
			run.vfs = optarg;
		else if (c == 'c')
			run.n_commits = atol(optarg);
		else if (c == 'w')
			run.n_writers = atoi(optarg);
		else if (c == 'n')
			run.no_checkpoint = true;
		else
			give_up("usage: storm [-vfs NAME] [-commits N] "
			        "[-writers N] [-no-checkpoint]");
	}
}

int main(int argc, char **argv)
{
	pthread_t *writers;
	int64_t began;
	sqlite3 *db;

	parse(argc, argv);
	use_replica("backup", NULL);
	db = create_db("storm.db", run.vfs, "normal");
	writers = need(calloc((size_t)run.n_writers, sizeof *writers));
	run.left = run.n_commits;
	began = lsv_clock_mono_ns();
	for (int i = 0; i < run.n_writers; i++)
		if (pthread_create(&writers[i], NULL, write_rows, NULL) != 0)
			give_up("pthread_create");
	for (int i = 0; i < run.n_writers; i++)
		pthread_join(writers[i], NULL);
	printf("seconds %.2f wal %.1f failed %ld busy %ld",
	       (double)(lsv_clock_mono_ns() - began) / 1e9,
	       (double)run.wal_max / (1 << 20), run.n_failed, run.n_busy);
	if (strcmp(run.vfs, OURS) == 0 &&
	    lsvfs_sync("storm.db", 60000) != SQLITE_OK)
		give_up("storm.db: not on the replica");
	printf(" segments %zu snapshots %zu generations %zu\n",
	       count("backup/storm.db/generations/*/wal/*"),
	       count("backup/storm.db/generations/*/snapshots/*"),
	       count("backup/storm.db/generations/*"));
	free(writers);
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
