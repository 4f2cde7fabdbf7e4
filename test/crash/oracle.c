/* SPDX-License-Identifier: MIT */

/*
 * The oracle: a random application writes through us; after each commit
 * SQLite itself says, from a copy of the files, what the database is; in the
 * end every txid and random moments are restored, and must be that, byte for
 * byte.
 *
 *	oracle [-seed N] [-seeds COUNT] [-steps N] [-verbose] [-keep]
 *
 * A seed that fails is printed, its folder is left; -seed N repeats it.
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
	bool is_verbose;
	bool keep;
};

static void register_vfs(struct dice *dice)
{
	static const char *const options[] = {
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
		.options = options[dice_below(dice, sizeof options /
	                                                    sizeof *options)],
	};
	auto_free char *here = realpath(".", NULL);
	auto_free char *url = here ? lsv_path_join(here, "replica") : NULL;

	o.replica = url;
	if (!url || lsvfs_register(&o) != SQLITE_OK)
		die("lsvfs_register(%s)", o.options);
	printf("%s, ", o.options);
}

/* In a process of its own, in its folder. */
static void run_seed(const struct options *options, uint64_t seed)
{
	struct workload w = {
		.dice = {seed},
		.is_verbose = options->is_verbose,
	};
	size_t from;

	if (mkdir("image", 0700) < 0)
		die("mkdir: %s", strerror(errno));
	bystander_begin(&w.bystander);
	register_vfs(&w.dice);
	workload_begin(&w);
	/* What comes before the first snapshot may be folded into it. */
	workload_sync(&w);
	from = w.ledger.n - 1;
	for (uint32_t i = 0; i < options->n_steps; i++)
		workload_step(&w);
	workload_end(&w);
	printf("%u-byte pages, %zu commits, ", w.page_size, w.ledger.n);
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
		       "it with 'oracle -seed %" PRIu64 " -steps %u'\n",
		       seed, (unsigned)status, dir, seed, options->n_steps);
		return false;
	}
	printf("seed %" PRIu64 ": right, %.1f s\n", seed,
	       (double)(lsv_clock_mono_ns() - begin_ns) / 1e9);
	if (!options->keep && lsv_remove_tree(dir) < 0)
		die("cannot remove %s", dir);
	return true;
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'},
		{"steps", required_argument, NULL, 'l'},
		{"verbose", no_argument, NULL, 'v'},
		{"keep", no_argument, NULL, 'k'},
		{0},
	};
	int c;

	while ((c = getopt_long_only(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			options->n_seeds = 1;
			break;
		case 'n':
			options->n_seeds = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'l':
			options->n_steps = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'v':
			options->is_verbose = true;
			break;
		case 'k':
			options->keep = true;
			break;
		default:
			exit(2);
		}
	}
}

/* Each run has other seeds, so that all runs together try many. */
int main(int argc, char **argv)
{
	struct options options = {
		.seed = (uint64_t)(lsv_clock_ns() / LSV_NS_PER_MS) % 1000000,
		.n_seeds = 6,
		.n_steps = 120,
	};
	uint32_t n_failed = 0;

	read_options(argc, argv, &options);
	errand_find();
	for (uint32_t i = 0; i < options.n_seeds; i++)
		n_failed += !try_seed(&options, options.seed + i);
	return n_failed != 0;
}
