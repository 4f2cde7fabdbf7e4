/* SPDX-License-Identifier: MIT */

/*
 * The oracle: a random application writes through us; after each commit
 * SQLite itself says, from a copy of the files, what the database is; in the
 * end every txid and random moments are restored, and must be that, byte for
 * byte.
 *
 *	oracle [-seed N] [-seeds COUNT] [-steps N] [-verbose] [-keep]
 *	       [-exclusive] [-replicate] [-page-size N] [-options TEXT]
 *
 * Alone it runs the seeds that once found a defect: what a check of a change
 * says must not depend on the day.  -seeds runs as many new ones, from -seed
 * or from the clock on.  A seed that fails is printed, its folder is left;
 * -seed N (with the other options as they were) repeats it.  -exclusive stays
 * in locking_mode=EXCLUSIVE most of the time.  -replicate writes without us:
 * `lsvfs replicate` does it from outside, and is killed, stopped and ended
 * meanwhile.
 */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "test/crash/errand.h"
#include "test/crash/workload.h"
#include "vfs/lsvfs.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct options {
	uint64_t seed;
	uint32_t n_seeds;
	uint32_t n_steps;
	uint32_t page_size;
	const char *options; /* of the VFS; NULL: drawn */
	bool is_exclusive;
	bool is_outside;
	bool is_verbose;
	bool keep;
};

/* Each found something, and finds it again when it comes back. */
static const struct {
	uint64_t seed;
	const char *found;
} known_seeds[] = {
	{341, "a chain across a gap, in exclusive mode"},
	{1024, "an exclusive close behind a rolled back first frame"},
	{2169, "a header that takes back the one before it"},
	{305047, "headers of rolled back transactions"},
	{116, "a close whose WAL is gone, looked at meanwhile"},
	{5, "a timestamp that gave the commit before"},
	{339, "a lost stamp, after a rollback"},
	{332, "a second generation without a reason"},
	{101, "a sync that waits beside a WAL without a commit"},
};

/* No seed is begun after that: one takes a second, or half a minute under a
 * sanitizer on a machine that others use, too. */
#define BUDGET_NS (40 * LSV_NS_PER_S)

static void set_environment(const char *url, const char *options)
{
	auto_free char *all = lsv_sprintf("%s shutdown-sync-timeout=60s",
	                                  options);

	if (!all || setenv("LSVFS_REPLICA_URL", url, 1) < 0 ||
	    setenv("LSVFS_OPTIONS", all, 1) < 0 ||
	    setenv("LSVFS_LOG", "info", 1) < 0)
		die("setenv: %s", strerror(errno));
}

/* The options of the VFS, in this process or in the one outside. */
static void begin_replication(struct dice *dice, const struct options *options)
{
	static const char *const drawn[] = {
		"sync-interval=20ms",
		"sync-interval=100ms",
		"sync-interval=1s",
		"sync-interval=50ms compression=zstd",
		"sync-interval=50ms checkpoint=native",
		"sync-interval=50ms snapshot-interval=300ms",
	};
	struct lsvfs_options o = {
		.size = sizeof o,
		.replica = "replica",
		.options =
			drawn[dice_below(dice, sizeof drawn / sizeof *drawn)],
	};
	auto_free char *here = realpath(".", NULL);
	auto_free char *url = here ? lsv_path_join(here, "replica") : NULL;

	o.replica = url;
	if (options->options)
		o.options = options->options;
	if (!url)
		die("out of memory");
	if (options->is_outside)
		set_environment(url, o.options);
	else if (lsvfs_register(&o) != SQLITE_OK)
		die("lsvfs_register(%s)", o.options);
	printf("%s, ", o.options);
}

/* One more each time that it was away; as many as there are resets where it
 * keeps nobody from one (lsvfs(1)). */
static uint32_t most(const struct beside *beside)
{
	const char *options = getenv("LSVFS_OPTIONS");

	return options && strstr(options, "checkpoint=native")
	               ? UINT32_MAX
	               : beside->n_falls + 1;
}

/* In a process of its own, in its folder. */
static void run_seed(const struct options *options, uint64_t seed)
{
	struct beside beside = {0};
	struct workload w = {
		.dice = {seed},
		.beside = options->is_outside ? &beside : NULL,
		.page_size = options->page_size,
		.likes_exclusive = options->is_exclusive,
		.is_verbose = options->is_verbose,
	};
	size_t from;

	if (mkdir("image", 0700) < 0)
		die("mkdir: %s", strerror(errno));
	bystander_begin(&w.bystander);
	begin_replication(&w.dice, options);
	workload_begin(&w);
	if (w.beside)
		beside_begin(w.beside);
	/* What comes before the first snapshot may be folded into it. */
	workload_sync(&w);
	from = w.ledger.n - 1;
	for (uint32_t i = 0; i < options->n_steps; i++)
		workload_step(&w);
	workload_end(&w);
	printf("%u-byte pages, %zu commits, ", w.page_size, w.ledger.n);
	if (w.beside)
		ledger_prove_outside(&w.ledger, from, most(&beside), &w.dice);
	else
		ledger_prove(&w.ledger, from, &w.dice);
	printf(", %" PRIu64 " behind zero frames\n", w.n_zero_frames);
	free(w.ledger.at);
}

static bool try_seed(const struct options *options, uint64_t seed)
{
	auto_free char *dir = lsv_sprintf("%s/lsvfs-oracle.%" PRIu64 ".XXXXXX",
	                                  errand_tmp(), seed);
	int64_t begin_ns = lsv_clock_mono_ns();
	int status;
	pid_t pid;

	if (!dir || !mkdtemp(dir))
		die("cannot make a folder: %s", strerror(errno));
	printf("seed %" PRIu64 ": ", seed);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (chdir(dir) < 0)
			die("chdir: %s", strerror(errno));
		run_seed(options, seed);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("fork: %s", strerror(errno));
	if (status != 0) {
		printf("seed %" PRIu64 " FAILED (status %#x): see %s; repeat "
		       "it with 'oracle -seed %" PRIu64 " -steps %u%s'\n",
		       seed, (unsigned)status, dir, seed, options->n_steps,
		       options->is_outside ? " -replicate" : "");
		return false;
	}
	printf("seed %" PRIu64 ": right, %.1f s\n", seed,
	       (double)(lsv_clock_mono_ns() - begin_ns) / 1e9);
	if (!options->keep && lsv_remove_tree(dir) < 0)
		die("cannot remove %s", dir);
	return true;
}

static uint64_t number(void)
{
	return strtoull(optarg, NULL, 0);
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'},
		{"steps", required_argument, NULL, 'l'},
		{"verbose", no_argument, NULL, 'v'},
		{"keep", no_argument, NULL, 'k'},
		{"exclusive", no_argument, NULL, 'x'},
		{"replicate", no_argument, NULL, 'r'},
		{"page-size", required_argument, NULL, 'p'},
		{"options", required_argument, NULL, 'o'},
		{0},
	};
	int c;

	while ((c = getopt_long_only(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			options->seed = number();
		else if (c == 'n')
			options->n_seeds = (uint32_t)number();
		else if (c == 'l')
			options->n_steps = (uint32_t)number();
		else if (c == 'p')
			options->page_size = (uint32_t)number();
		else if (c == 'o')
			options->options = optarg;
		else if (c == 'x')
			options->is_exclusive = true;
		else if (c == 'r')
			options->is_outside = true;
		else if (c == 'v')
			options->is_verbose = true;
		else if (c == 'k')
			options->keep = true;
		else
			exit(2);
	}
}

static uint32_t try_known(const struct options *options, int64_t until_ns)
{
	uint32_t n_failed = 0;

	for (size_t i = 0; i < sizeof known_seeds / sizeof *known_seeds; i++) {
		printf("once found: %s\n", known_seeds[i].found);
		if (lsv_clock_mono_ns() > until_ns) {
			printf("seed %" PRIu64 ": left out, this machine is "
			       "slow\n",
			       known_seeds[i].seed);
			continue;
		}
		n_failed += !try_seed(options, known_seeds[i].seed);
	}
	return n_failed;
}

int main(int argc, char **argv)
{
	int64_t until_ns = lsv_clock_mono_ns() + BUDGET_NS;
	uint64_t drawn = (uint64_t)(lsv_clock_ns() / LSV_NS_PER_MS) % 1000000;
	struct options options = {.n_steps = 120};
	uint32_t n_failed = 0;

	read_options(argc, argv, &options);
	errand_find();
	if (options.seed == 0 && options.n_seeds == 0 && !options.is_outside) {
		n_failed = try_known(&options, until_ns);
	} else if (options.seed == 0)
		options.seed = drawn;
	else if (options.n_seeds == 0)
		options.n_seeds = 1;
	for (uint32_t i = 0; i < options.n_seeds; i++)
		n_failed += !try_seed(&options, options.seed + i);
	return n_failed != 0;
}
