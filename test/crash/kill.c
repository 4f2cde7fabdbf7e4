/* SPDX-License-Identifier: MIT */

/*
 * kill -9: processes commit through us and are killed at random moments,
 * alone and together, stopped and continued, while they fork, close, open,
 * checkpoint, and while the first snapshot is taken.  After each kill, before
 * any flush, lsvfs-restore gives an exact earlier commit or refuses.  After
 * `lsvfs sync` it gives, byte for byte, what SQLite's own recovery gives, with
 * every acknowledged commit in it.
 *
 *	kill [-kills N] [-seed N] [-replicate] [-keep]
 *
 * Without -kills 30 of them, or as many as a slow machine does in a minute.
 * -seed repeats what was drawn; the moments remain the machine's.  With
 * -replicate the processes do not have us, and `lsvfs replicate` is one more
 * that is killed; when it ends by SIGTERM with status 0, the replica has every
 * commit acknowledged before.
 */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "test/crash/beside.h"
#include "test/crash/chain.h"
#include "test/crash/dice.h"
#include "test/crash/errand.h"
#include "test/crash/recovery.h"
#include "test/crash/victim.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_VICTIMS 3
#define MAX_GROUPS 16 /* of a round */
#define BALLAST_BYTES (64 << 20)
#define RESTORED "restored.db"
#define RECOVERED "recovered.db"
#define REFUSED 3
#define KILLS 30
#define BUDGET_NS (60 * LSV_NS_PER_S)

struct harness {
	struct dice dice;
	struct acknowledged *acknowledged;
	char *dir;
	char *url;
	bool is_outside; /* -replicate */
	struct beside beside;
	bool waits;         /* durability=replica */
	int64_t n_flushed;  /* commits in the last flushed replica */
	bool is_restorable; /* it was, once */
	pid_t victims[MAX_VICTIMS];
	pid_t groups[MAX_GROUPS]; /* of those and their like before */
	int n_groups;
	/* of the whole run */
	uint64_t n_kills, n_rounds, n_commits, n_exact, n_refused, n_unsure;
};

static void make_ballast(void)
{
	sqlite3 *db = NULL;
	char sql[400];

	snprintf(sql, sizeof sql,
	         "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL;"
	         "CREATE TABLE ballast(body BLOB);"
	         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c "
	         "WHERE i < %d) INSERT INTO ballast SELECT randomblob(65000) "
	         "FROM c",
	         BALLAST_BYTES / 65000);
	if (sqlite3_open_v2("app.db", &db,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	                    "unix") != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_close(db) != SQLITE_OK)
		die("cannot make a large database");
}

/* A new database, in a folder of its own. */
static void begin_life(struct harness *h, uint64_t seed)
{
	static const char *const options[] = {
		"sync-interval=10ms",
		"sync-interval=100ms",
		"sync-interval=1s",
		"sync-interval=50ms checkpoint=native",
		"sync-interval=20ms snapshot-interval=200ms",
		"sync-interval=10ms durability=replica",
	};
	const char *chosen;

	h->dice.state = seed;
	h->dir = lsv_sprintf("%s/lsvfs-kill.%" PRIu64 ".XXXXXX", errand_tmp(),
	                     seed);
	if (!h->dir || !mkdtemp(h->dir) || chdir(h->dir) < 0)
		die("cannot make a folder: %s", strerror(errno));
	h->url = lsv_path_join(h->dir, "replica");
	/* The last one is for those who have us in them. */
	chosen = options[dice_below(&h->dice, h->is_outside ? 5 : 6)];
	h->waits = strstr(chosen, "durability") != NULL;
	if (!h->url || setenv("LSVFS_REPLICA_URL", h->url, 1) < 0 ||
	    setenv("LSVFS_OPTIONS", chosen, 1) < 0 ||
	    setenv("LSVFS_LOG", "info", 1) < 0)
		die("setenv: %s", strerror(errno));
	h->n_flushed = 0;
	h->is_restorable = false;
	atomic_store(&h->acknowledged->n, 0);
	if (dice_percent(&h->dice, 20))
		make_ballast();
	printf("seed %" PRIu64 ": %s, in %s\n", seed, chosen, h->dir);
}

static void end_life(struct harness *h, bool keep)
{
	if (h->beside.pid)
		beside_kill(&h->beside);
	if (chdir("/") < 0 || (!keep && lsv_remove_tree(h->dir) < 0))
		die("cannot remove %s", h->dir);
	free(take(h->dir));
	free(take(h->url));
}

/* Restores the latest.  How many commits, or -1: refused. */
static int64_t restore(struct harness *h, const char *when)
{
	struct restore_answer answer;
	int64_t n;

	errand_restore(h->url, RESTORED, NULL, &answer);
	if (answer.status == REFUSED && !h->is_restorable)
		return -1;
	if (answer.status != 0)
		die("%s: lsvfs-restore exits %d: %s", when, answer.status,
		    errand_errors());
	h->is_restorable = true;
	n = chain_judge(RESTORED, when);
	if (n < h->n_flushed)
		die("%s: restored commit %" PRId64 ", but %" PRId64
		    " was on the replica",
		    when, n, h->n_flushed);
	return n;
}

/* Any moment: an exact earlier commit, or a refusal. */
static int64_t glance(struct harness *h, const char *when)
{
	int64_t acknowledged = atomic_load(&h->acknowledged->n);
	int64_t n = restore(h, when);

	if (n < 0)
		h->n_refused++;
	else
		h->n_exact++;
	if (h->waits && acknowledged > 0 && n < acknowledged)
		die("%s: durability=replica acknowledged commit %" PRId64
		    ", restored is %" PRId64,
		    when, acknowledged, n);
	return n;
}

static void begin_victim(struct harness *h, int i)
{
	h->victims[i] = victim_begin(dice_roll(&h->dice), h->is_outside,
	                             h->acknowledged);
	if (h->n_groups == MAX_GROUPS)
		die("more processes than a round has");
	h->groups[h->n_groups++] = h->victims[i];
}

static void begin_victims(struct harness *h)
{
	int n = 1 + (int)dice_below(&h->dice, MAX_VICTIMS);

	memset(h->victims, 0, sizeof h->victims);
	h->n_groups = 0;
	for (int i = 0; i < n; i++)
		begin_victim(h, i);
}

static void nap(struct harness *h)
{
	/* Short naps as often as long ones: most happens at the start. */
	usleep(1000U << dice_below(&h->dice, 9));
}

static void kill_one(struct harness *h, int i)
{
	if (!h->victims[i])
		return;
	kill(-h->victims[i], SIGKILL);
	h->n_kills++;
	h->victims[i] = 0;
}

static void meddle(struct harness *h)
{
	int i = (int)dice_below(&h->dice, MAX_VICTIMS);

	if (!h->victims[i]) {
		begin_victim(h, i);
	} else if (dice_percent(&h->dice, 50)) {
		kill(-h->victims[i], SIGSTOP);
		nap(h);
		if (dice_percent(&h->dice, 80))
			kill(-h->victims[i], SIGCONT);
	} else {
		kill_one(h, i);
		glance(h, "one killed, others at work");
	}
}

/* Together, one after another, or one of them in peace. */
static void kill_all(struct harness *h)
{
	uint32_t how = dice_below(&h->dice, 4);

	for (int i = 0; i < MAX_VICTIMS; i++) {
		if (how == 0 && i == 0 && h->victims[1] && h->victims[0]) {
			kill(h->victims[0], SIGTERM);
			kill(-h->victims[0], SIGCONT);
			continue;
		}
		kill_one(h, i);
		if (how == 1)
			nap(h);
	}
	for (int i = 0; i < h->n_groups; i++) {
		while (waitpid(-h->groups[i], NULL, 0) > 0 || errno == EINTR)
			;
	}
}

/* SIGTERM, with others at work: what was acknowledged before is there, or it
 * says that it is not. */
static void end_beside(struct harness *h)
{
	int64_t acknowledged = atomic_load(&h->acknowledged->n);
	int status = beside_end(&h->beside);
	int64_t n = glance(h, "lsvfs replicate ended");

	if (status != 0)
		h->n_unsure++;
	if (status == 0 && n < acknowledged)
		die("lsvfs replicate: exit 0, restored is commit %" PRId64
		    " of %" PRId64,
		    n, acknowledged);
	if (status > 1)
		die("lsvfs replicate: exit %d: see replicate.log", status);
}

static void meddle_beside(struct harness *h)
{
	if (h->beside.pid && dice_percent(&h->dice, 20))
		end_beside(h);
	else
		beside_meddle(&h->beside, &h->dice);
}

/* By a command, alone or beside the process, or by that one's end. */
static void sync_all(struct harness *h)
{
	bool ends = h->beside.pid && dice_percent(&h->dice, 40);
	int status;

	beside_continue(&h->beside);
	status = ends ? beside_end(&h->beside) : errand_sync("app.db", h->url);
	if (status != 0)
		die("%s: exit %d: %s", ends ? "lsvfs replicate" : "lsvfs sync",
		    status, ends ? "see replicate.log" : errand_errors());
}

static void flush(struct harness *h, int64_t before)
{
	int64_t acknowledged = atomic_load(&h->acknowledged->n);
	bool has_zero, is_there;
	int64_t n;

	/* It may be about to reset the WAL. */
	beside_stop(&h->beside);
	is_there = recovery_make("app.db", "side.db", RECOVERED, &has_zero);
	beside_continue(&h->beside);
	if (!is_there)
		return; /* killed before there was one */
	if (has_zero)
		die("frames without checksums, and no savepoint was used");
	n = chain_judge(RECOVERED, "SQLite's recovery");
	if (n < acknowledged)
		die("SQLite itself lost commits %" PRId64 " to %" PRId64, n + 1,
		    acknowledged);
	if (before > n)
		die("restored commit %" PRId64 " before there was one "
		    "beyond %" PRId64,
		    before, n);
	sync_all(h);
	if (restore(h, "flushed") != n || !same_bytes(RESTORED, RECOVERED))
		die("the flushed replica is not what SQLite recovers");
	if (atomic_load(&h->acknowledged->n_failed) > 0)
		die("%" PRIu64
		    " commits or checkpoints failed: see victims.log",
		    atomic_load(&h->acknowledged->n_failed));
	h->n_commits += (uint64_t)(n - h->n_flushed);
	h->n_flushed = n;
}

static void round_of_kills(struct harness *h)
{
	int64_t n;

	begin_victims(h);
	if (h->is_outside && dice_percent(&h->dice, 70))
		beside_begin(&h->beside);
	nap(h);
	for (uint32_t i = dice_below(&h->dice, 4); i > 0; i--) {
		if (h->is_outside && dice_percent(&h->dice, 60))
			meddle_beside(h);
		else
			meddle(h);
		nap(h);
	}
	if (h->is_outside && dice_percent(&h->dice, 50))
		beside_kill(&h->beside);
	kill_all(h);
	n = glance(h, "all killed");
	flush(h, n);
	h->n_kills += h->beside.n_kills;
	h->beside.n_kills = 0;
	h->n_rounds++;
}

static void read_options(int argc, char **argv, uint64_t *n_kills,
                         uint64_t *seed, bool *is_outside, bool *keep)
{
	static const struct option known[] = {
		{"kills", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"replicate", no_argument, NULL, 'r'},
		{"keep", no_argument, NULL, 'k'},
		{0},
	};
	int c;

	while ((c = getopt_long_only(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'n':
			*n_kills = strtoull(optarg, NULL, 0);
			break;
		case 's':
			*seed = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			*is_outside = true;
			break;
		case 'k':
			*keep = true;
			break;
		default:
			exit(2);
		}
	}
}

/* n_kills 0: the usual number, as far as time allows. */
static bool wants_more(const struct harness *h, uint64_t n_kills,
                       int64_t until_ns)
{
	if (n_kills == 0)
		return h->n_kills < KILLS && lsv_clock_mono_ns() < until_ns;
	return h->n_kills < n_kills;
}

int main(int argc, char **argv)
{
	uint64_t seed = (uint64_t)(lsv_clock_ns() / LSV_NS_PER_MS) % 1000000;
	struct harness h = {0};
	int64_t until_ns = lsv_clock_mono_ns() + BUDGET_NS;
	uint64_t n_kills = 0;
	bool keep = false;

	read_options(argc, argv, &n_kills, &seed, &h.is_outside, &keep);
	errand_find();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	h.acknowledged = mmap(NULL, sizeof *h.acknowledged,
	                      PROT_READ | PROT_WRITE,
	                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h.acknowledged == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (; wants_more(&h, n_kills, until_ns); seed++) {
		begin_life(&h, seed);
		for (uint32_t i = 1 + dice_below(&h.dice, 6);
		     i > 0 && wants_more(&h, n_kills, until_ns); i--)
			round_of_kills(&h);
		end_life(&h, keep);
	}
	printf("%" PRIu64 " kills in %" PRIu64 " rounds, %" PRIu64
	       " commits: lost 0, wrong 0; before a flush %" PRIu64
	       " restores gave an exact commit, %" PRIu64 " were refused\n",
	       h.n_kills, h.n_rounds, h.n_commits, h.n_exact, h.n_refused);
	if (h.is_outside)
		printf("lsvfs replicate ended %" PRIu64
		       " times with status 1\n",
		       h.n_unsure);
	return 0;
}
