/* SPDX-License-Identifier: MIT */

/*
 * How long a commit takes from its return until the object that holds it is
 * visible in a replica, in milliseconds: after a quiet spell (no put within the
 * last sync-interval), and in a storm of commits.  The replica is a directory,
 * or URL in a store on this machine that keeps objects as files below DIR.
 *
 *	lag [-quiet N] [-storm SECONDS] [-interval D] [-replica URL DIR]
 */

#include "replica/base/fileio.h"
#include "replica/format/table.h"
#include "test/bench/measure.h"

#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>

#define TAIL_MAX (1 << 22) /* of an object: its table is within */
#define COMMITS_MAX 4000000
#define WAIT_MS 10000

struct watch {
	int fd;
	char dir[4096]; /* where segments appear */
};

/* The last txid of an object; 0: it is none of ours. */
static uint64_t last_txid(const char *dir, const char *name)
{
	auto_free char *path = need(lsv_path_join(dir, name));
	auto_free uint8_t *tail = need(malloc(TAIL_MAX));
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct lsv_table table;
	struct stat st;
	uint32_t size;
	ssize_t n;
	uint64_t last;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	n = pread(fd, tail, TAIL_MAX,
	          st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0);
	if (n < LSV_TABLE_TRAILER_SIZE)
		return 0;
	memcpy(&size, tail + n - 8, sizeof size);
	if (size > n || lsv_table_decode(tail + n - size, size, &table) < 0)
		return 0;
	last = table.first_txid + table.commits.n - 1;
	lsv_table_free(&table);
	return last;
}

static void watch_replica(const char *replica, struct watch *watch)
{
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/generations/*/wal", replica);
	if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc != 1)
		give_up("%s: not one generation", pattern);
	snprintf(watch->dir, sizeof watch->dir, "%s", found.gl_pathv[0]);
	globfree(&found);
	watch->fd = inotify_init1(IN_CLOEXEC);
	if (watch->fd < 0 || inotify_add_watch(watch->fd, watch->dir,
	                                       IN_CREATE | IN_MOVED_TO) < 0)
		give_up("%s: cannot be watched: %s", watch->dir,
		        strerror(errno));
}

/* Waits for news of the folder.  The last txid of the objects that appeared,
 * and when; 0: none did (temporary names come by, too). */
static uint64_t see(struct watch *watch, int wait_ms, int64_t *when_ns)
{
	char events[8192] __attribute__((aligned(8)));
	struct pollfd p = {.fd = watch->fd, .events = POLLIN};
	uint64_t txid = 0;
	ssize_t n;

	if (poll(&p, 1, wait_ms) <= 0)
		return 0;
	*when_ns = lsv_clock_mono_ns();
	n = read(watch->fd, events, sizeof events);
	for (char *at = events; at < events + n;) {
		const struct inotify_event *event = (void *)at;
		uint64_t last = last_txid(watch->dir, event->name);

		if (last > txid)
			txid = last;
		at += sizeof *event + event->len;
	}
	return txid;
}

static uint64_t see_until(struct watch *watch, uint64_t txid, int64_t *when_ns)
{
	int64_t until = lsv_clock_mono_ns() + WAIT_MS * LSV_NS_PER_MS;
	uint64_t seen = 0;

	while (seen < txid) {
		if (lsv_clock_mono_ns() > until)
			give_up("txid %" PRIu64 " is not on the replica", txid);
		seen = see(watch, 100, when_ns);
	}
	return seen;
}

static void quiet(sqlite3_stmt *insert, struct watch *watch, int n,
                  int64_t interval_ns, uint64_t *txid)
{
	double *ms = need(calloc((size_t)n, sizeof *ms));

	for (int i = 0; i < n; i++) {
		int64_t at, returned;

		sleep_ns(interval_ns + (50 + 7 * (i % 10)) * LSV_NS_PER_MS);
		step_once(insert);
		returned = lsv_clock_mono_ns();
		*txid = see_until(watch, *txid + 1, &at);
		ms[i] = (double)(at > returned ? at - returned : 0) / 1e6;
	}
	qsort(ms, (size_t)n, sizeof *ms, by_value);
	printf("quiet %.2f %.2f %.2f\n", quantile(ms, (size_t)n, 500),
	       quantile(ms, (size_t)n, 990), ms[n - 1]);
	free(ms);
}

struct storm {
	sqlite3_stmt *insert;
	int64_t until_ns;
	int64_t *returned_ns;
	_Atomic(size_t) n;
};

static void *write_storm(void *arg)
{
	struct storm *s = arg;
	size_t n = 0;

	while (lsv_clock_mono_ns() < s->until_ns && n < COMMITS_MAX) {
		step_once(s->insert);
		s->returned_ns[n++] = lsv_clock_mono_ns();
		s->n = n;
	}
	return NULL;
}

static void storm(sqlite3_stmt *insert, struct watch *watch, int seconds,
                  uint64_t base)
{
	int64_t began = lsv_clock_mono_ns(), at = 0;
	struct storm s = {
		.insert = insert,
		.until_ns = began + seconds * LSV_NS_PER_S,
		.returned_ns = need(calloc(COMMITS_MAX, sizeof(int64_t))),
	};
	double *ms = need(calloc(COMMITS_MAX, sizeof *ms));
	size_t seen = 0, n_puts = 0;
	pthread_t writer;

	if (pthread_create(&writer, NULL, write_storm, &s) != 0)
		give_up("pthread_create");
	while (lsv_clock_mono_ns() < s.until_ns || seen < s.n) {
		uint64_t last = see_until(watch, base + seen + 1, &at);

		n_puts++;
		for (; seen < last - base; seen++)
			ms[seen] = (double)(at - s.returned_ns[seen]) / 1e6;
	}
	pthread_join(writer, NULL);
	qsort(ms, seen, sizeof *ms, by_value);
	printf("storm %.1f %.1f %.1f %.2f %.0f\n", quantile(ms, seen, 500),
	       quantile(ms, seen, 990), ms[seen - 1],
	       (double)n_puts / ((double)(at - began) / 1e9),
	       (double)seen / seconds);
	free(ms);
	free(s.returned_ns);
}

struct options {
	const char *interval;
	int n_quiet;
	int n_storm; /* seconds */
	const char *replica;
	const char *seen; /* where its objects lie */
};

static void read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"quiet", required_argument, NULL, 'q'},
		{"storm", required_argument, NULL, 's'},
		{"interval", required_argument, NULL, 'i'},
		{"replica", required_argument, NULL, 'r'},
		{0},
	};
	int c;

	while ((c = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q')
			o->n_quiet = atoi(optarg);
		else if (c == 's')
			o->n_storm = atoi(optarg);
		else if (c == 'i')
			o->interval = optarg;
		else if (c == 'r')
			o->replica = optarg;
		else
			break;
	}
	if (optind < argc)
		o->seen = argv[optind++];
	if (c != -1 || optind != argc)
		give_up("usage: lag [-quiet N] [-storm SECONDS] [-interval D] "
		        "[-replica URL DIR]");
}

int main(int argc, char **argv)
{
	struct options o = {"200ms", 60, 10, "backup", "backup/lag.db"};
	char setting[64];
	struct watch watch;
	sqlite3_stmt *insert;
	int64_t interval_ns, at;
	uint64_t txid;
	sqlite3 *db;

	read_options(argc, argv, &o);
	if (lsv_duration_parse(o.interval, &interval_ns) < 0)
		give_up("'%s' is no duration", o.interval);
	snprintf(setting, sizeof setting, "sync-interval=%s", o.interval);
	use_replica(o.replica, setting);
	db = create_db("lag.db", OURS, "normal");
	insert = prepare(db, "insert into t (b) values (randomblob(100))");
	step_once(insert);
	if (lsvfs_sync("lag.db", WAIT_MS) != SQLITE_OK)
		give_up("lag.db: not on the replica");
	/* A segment makes the folder that is watched, and tells the txid. */
	step_once(insert);
	if (lsvfs_sync("lag.db", WAIT_MS) != SQLITE_OK)
		give_up("lag.db: not on the replica");
	watch_replica(o.seen, &watch);
	sleep_ns(interval_ns + 100 * LSV_NS_PER_MS);
	step_once(insert);
	txid = see_until(&watch, 1, &at);
	if (o.n_quiet > 0)
		quiet(insert, &watch, o.n_quiet, interval_ns, &txid);
	if (o.n_storm > 0)
		storm(insert, &watch, o.n_storm, txid);
	sqlite3_finalize(insert);
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
