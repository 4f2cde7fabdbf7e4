/* SPDX-License-Identifier: MIT */

/*
 * What a commit costs, in microseconds, beside bare SQLite: same library, same
 * flags, same file system, rounds in turns.  Each round has a database of its
 * own; each ratio is the median of the rounds' ratios, but of p99.9, which one
 * round has too few samples for: all rounds together.
 *
 *	commits [-sync normal|full] [-rows N] [-commits N] [-rounds N]
 *	        [-every US] [-options "NAME=VALUE ..."] [-replica URL]
 */

#include "test/bench/measure.h"

#include <getopt.h>

/* What a round leaves to ship does not disturb the next one; of a store that is
 * down nothing more is expected. */
#define SYNC_MS 3000

struct options {
	const char *sync;
	const char *lsvfs;
	const char *replica;
	int n_rows;
	int n_commits;
	int n_rounds;
	int every_us; /* 0: without a pause */
};

enum { P50, P99, P999, MEAN, N_FIGURES };
static const char *const figure_names[] = {"p50", "p99", "p99.9", "mean"};

struct figures {
	double at[N_FIGURES];
};

static void commit(sqlite3_stmt *insert, sqlite3_stmt *begin, sqlite3_stmt *end,
                   int n_rows)
{
	if (n_rows > 1)
		step_once(begin);
	for (int i = 0; i < n_rows; i++)
		step_once(insert);
	if (n_rows > 1)
		step_once(end);
}

static void measure(sqlite3 *db, const struct options *o, double *us)
{
	sqlite3_stmt *begin = prepare(db, "begin");
	sqlite3_stmt *end = prepare(db, "commit");
	sqlite3_stmt *insert = prepare(
		db, "insert into t (b) values (randomblob(100))");
	int n_warm = o->n_rows > 1 ? 20 : 500;

	/* Past the first growth of the WAL, the first snapshot. */
	for (int i = 0; i < n_warm; i++)
		commit(insert, begin, end, o->n_rows);
	sleep_ns(300 * LSV_NS_PER_MS);
	for (int i = 0; i < o->n_commits; i++) {
		int64_t began;

		if (o->every_us)
			sleep_ns(o->every_us * LSV_NS_PER_US);
		began = lsv_clock_mono_ns();
		commit(insert, begin, end, o->n_rows);
		us[i] = (double)(lsv_clock_mono_ns() - began) / 1e3;
	}
	sqlite3_finalize(insert);
	sqlite3_finalize(begin);
	sqlite3_finalize(end);
}

static struct figures figures_of(double *us, size_t n)
{
	struct figures f;
	double sum = 0;

	qsort(us, n, sizeof *us, by_value);
	for (size_t i = 0; i < n; i++)
		sum += us[i];
	f.at[P50] = quantile(us, n, 500);
	f.at[P99] = quantile(us, n, 990);
	f.at[P999] = quantile(us, n, 999);
	f.at[MEAN] = sum / (double)n;
	return f;
}

static struct figures play(const char *vfs, int round, const struct options *o,
                           double *us)
{
	char path[64], wal[80];
	auto_free double *sorted = need(
		calloc((size_t)o->n_commits, sizeof *us));
	sqlite3 *db;

	snprintf(path, sizeof path, "%s%d.db", vfs, round);
	snprintf(wal, sizeof wal, "%s-wal", path);
	db = create_db(path, vfs, o->sync);
	measure(db, o, us);
	if (sqlite3_close(db) != SQLITE_OK)
		give_up("%s: does not close", path);
	if (strcmp(vfs, OURS) == 0)
		lsvfs_sync(path, SYNC_MS);
	unlink(path);
	memcpy(sorted, us, (size_t)o->n_commits * sizeof *us);
	return figures_of(sorted, (size_t)o->n_commits);
}

static void print(const struct options *o, double *all[2],
                  double *values[2][N_FIGURES], double *ratios[N_FIGURES])
{
	size_t n_all = (size_t)o->n_rounds * (size_t)o->n_commits;
	struct figures bare = figures_of(all[0], n_all);
	struct figures ours = figures_of(all[1], n_all);
	size_t n = (size_t)o->n_rounds;

	for (int i = 0; i < N_FIGURES; i++) {
		bool pooled = i == P999;
		double b = pooled ? bare.at[i] : median(values[0][i], n);
		double u = pooled ? ours.at[i] : median(values[1][i], n);

		printf("%s %s %d %.1f %.1f %.2f\n", figure_names[i], o->sync,
		       o->n_rows, b, u, pooled ? u / b : median(ratios[i], n));
	}
}

static void run(const struct options *o)
{
	size_t n = (size_t)o->n_rounds, n_each = (size_t)o->n_commits;
	double *all[2], *values[2][N_FIGURES], *ratios[N_FIGURES];

	for (int i = 0; i < 2; i++)
		all[i] = need(calloc(n * n_each, sizeof(double)));
	for (int i = 0; i < N_FIGURES; i++) {
		values[0][i] = need(calloc(n, sizeof(double)));
		values[1][i] = need(calloc(n, sizeof(double)));
		ratios[i] = need(calloc(n, sizeof(double)));
	}
	for (int round = 0; round < o->n_rounds; round++) {
		size_t at = (size_t)round;
		int first = round % 2;
		struct figures f[2];

		for (int k = 0; k < 2; k++) {
			int who = (first + k) % 2;

			f[who] = play(who ? OURS : BARE, round, o,
			              all[who] + at * n_each);
		}
		for (int i = 0; i < N_FIGURES; i++) {
			values[0][i][at] = f[0].at[i];
			values[1][i][at] = f[1].at[i];
			ratios[i][at] = f[1].at[i] / f[0].at[i];
		}
	}
	print(o, all, values, ratios);
}

static const char usage[] =
	"usage: commits [-sync normal|full] [-rows N] [-commits N] "
	"[-rounds N]\n"
	"               [-every US] [-options 'NAME=VALUE ...'] [-replica URL]\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"sync", required_argument, NULL, 's'},
		{"rows", required_argument, NULL, 'r'},
		{"commits", required_argument, NULL, 'c'},
		{"rounds", required_argument, NULL, 'n'},
		{"every", required_argument, NULL, 'e'},
		{"options", required_argument, NULL, 'o'},
		{"replica", required_argument, NULL, 'u'},
		{0},
	};
	struct options o = {"normal", NULL, "backup", 1, 5000, 9, 0};
	int c;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			o.sync = optarg;
		else if (c == 'r')
			o.n_rows = atoi(optarg);
		else if (c == 'c')
			o.n_commits = atoi(optarg);
		else if (c == 'n')
			o.n_rounds = atoi(optarg);
		else if (c == 'e')
			o.every_us = atoi(optarg);
		else if (c == 'o')
			o.lsvfs = optarg;
		else if (c == 'u')
			o.replica = optarg;
		else
			break;
	}
	if (c != -1 || optind != argc || o.n_rows < 1 || o.n_commits < 100 ||
	    o.n_rounds < 1 || o.every_us < 0) {
		fputs(usage, stderr);
		return 2;
	}
	use_replica(o.replica, o.lsvfs);
	run(&o);
	return 0;
}
