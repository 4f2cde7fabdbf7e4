/* SPDX-License-Identifier: MIT */
#include "vfs/worker.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "vfs/begin.h"
#include "vfs/checkpoint.h"
#include "vfs/look.h"
#include "vfs/own.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define NAP_NS (2 * LSV_NS_PER_MS)
#define WAIT_SLICE_NS (100 * LSV_NS_PER_MS)
/* Databases whose other processes can wake us, beside the bell: the kernel
 * waits on at most 128 words.  Further ones are looked at by their followers'
 * timers. */
#define WORDS_MAX 127

enum sleep { AWAKE, ASLEEP, NAPPING };

/* The process's own bell: rung by commits whose leader is this process. */
static struct {
	_Atomic(uint32_t) word;
	_Atomic(int) sleep; /* enum sleep */
} bell;

static pthread_mutex_t poked_mutex = PTHREAD_MUTEX_INITIALIZER;
static STAILQ_HEAD(poked_list, lsv_db) poked = STAILQ_HEAD_INITIALIZER(poked);
static bool is_started; /* under poked_mutex */

/* Held for each bounded step; a fork takes it. */
static pthread_mutex_t work_mutex = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(watched_list, lsv_db) watched = LIST_HEAD_INITIALIZER(watched);
static LIST_HEAD(led_list, lsv_db) led = LIST_HEAD_INITIALIZER(led);

static void *work(void *arg);

static void ring(bool also_napping)
{
	int sleep;

	atomic_fetch_add(&bell.word, 1);
	sleep = atomic_load(&bell.sleep);
	if (sleep == ASLEEP || (also_napping && sleep == NAPPING))
		lsv_futex_wake(&bell.word, 1);
}

static void start(void)
{
	int r;

	if (is_started)
		return;
	r = lsv_thread_start(work, NULL);
	if (r < 0)
		log_error(r, "cannot start the worker thread: nothing is "
		             "replicated until it can");
	is_started = r == 0;
}

static void enqueue(struct lsv_db *db)
{
	struct lsv_db *again = lsv_db_find(db->path); /* a reference */

	if (!again)
		return;
	pthread_mutex_lock(&poked_mutex);
	STAILQ_INSERT_TAIL(&poked, again, poked_link);
	start();
	pthread_mutex_unlock(&poked_mutex);
}

static void wake_leader(struct lsv_coord_page *coord, bool always)
{
	atomic_fetch_add(&coord->wake, 1);
	if (always || atomic_load(&coord->sleeps))
		lsv_futex_wake(&coord->wake, INT_MAX);
}

void lsv_worker_poke(struct lsv_db *db)
{
	if (atomic_load(&db->role) == LSV_FOLLOWING)
		wake_leader(lsv_db_coord(db), false);
	if (atomic_exchange(&db->hot, 1))
		return;
	enqueue(db);
	ring(false);
}

void lsv_worker_hurry(struct lsv_db *db)
{
	if (!lsv_db_coord(db))
		return;
	if (atomic_load(&db->role) == LSV_FOLLOWING)
		wake_leader(lsv_db_coord(db), true);
	if (!atomic_exchange(&db->hot, 1))
		enqueue(db);
	ring(true);
}

uint64_t lsv_worker_ticket(struct lsv_db *db)
{
	return atomic_fetch_add(&lsv_db_coord(db)->request, 1) + 1;
}

static bool is_shipped(struct lsv_coord_page *coord, uint64_t ticket)
{
	return atomic_load(&coord->shipped_ticket) >= ticket;
}

int lsv_worker_wait(struct lsv_db *db, uint64_t ticket, int64_t timeout_ns,
                    bool give_up)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t until = lsv_clock_mono_ns() + timeout_ns;
	int r = 0;

	atomic_fetch_add(&db->n_waiting, 1);
	atomic_fetch_add(&coord->waiters, 1);
	lsv_worker_hurry(db);
	while (!is_shipped(coord, ticket)) {
		uint32_t done = atomic_load(&coord->done);
		int64_t now = lsv_clock_mono_ns();

		if (is_shipped(coord, ticket))
			break;
		if (timeout_ns >= 0 && now >= until) {
			r = -ETIMEDOUT;
			break;
		}
		if (atomic_load(&db->is_refused)) {
			r = -EPERM;
			break;
		}
		if (give_up && atomic_load(&db->last_put_failed)) {
			r = -EIO;
			break;
		}
		lsv_futex_wait(&coord->done, done,
		               timeout_ns < 0 || until - now > WAIT_SLICE_NS
		                       ? WAIT_SLICE_NS
		                       : until - now);
		if (lsv_clock_mono_ns() - now >= WAIT_SLICE_NS)
			lsv_worker_hurry(db);
	}
	atomic_fetch_sub(&coord->waiters, 1);
	atomic_fetch_sub(&db->n_waiting, 1);
	return r;
}

/* From the application's side to the worker's. */
static void take_poked(void)
{
	struct lsv_db *db;

	for (;;) {
		pthread_mutex_lock(&poked_mutex);
		db = STAILQ_FIRST(&poked);
		if (db)
			STAILQ_REMOVE_HEAD(&poked, poked_link);
		pthread_mutex_unlock(&poked_mutex);
		if (!db)
			return;
		db->n_quiet = 0;
		if (db->is_watched) {
			lsv_db_release(db); /* one reference is enough */
			continue;
		}
		db->is_watched = true;
		LIST_INSERT_HEAD(&watched, db, watched_link);
	}
}

/* A database that this process leads is kept, so that other processes'
 * wakes are heard. */
static void keep_led(struct lsv_db *db)
{
	bool leads = atomic_load(&db->role) >= LSV_ADRIFT;

	if (leads == db->is_led)
		return;
	db->is_led = leads;
	if (leads) {
		lsv_db_find(db->path);
		LIST_INSERT_HEAD(&led, db, led_link);
	} else {
		LIST_REMOVE(db, led_link);
		lsv_db_release(db);
	}
}

static void unwatch(struct lsv_db *db)
{
	db->is_watched = false;
	LIST_REMOVE(db, watched_link);
	lsv_db_release(db);
}

/* Goes to sleep over a database: whoever commits next must wake us.  False:
 * something came while it was said. */
static bool go_cold(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	atomic_store(&db->hot, 0);
	if (atomic_load(&db->role) >= LSV_ADRIFT)
		atomic_store(&coord->sleeps, 1);
	if (!lsv_look_has_news(db))
		return true;
	atomic_store(&coord->sleeps, 0);
	/* Set by a committer already: then it is queued again anyway. */
	atomic_exchange(&db->hot, 1);
	return false;
}

/* A follower with a timer does not want a second wake a commit: the leader's
 * is enough. */
static bool is_following(const struct lsv_db *db)
{
	return atomic_load(&db->role) < LSV_ADRIFT && db->due_ns != INT64_MAX;
}

/* Looks at all that is watched; when to look again at the latest. */
static int64_t look_at_all(bool *naps)
{
	int64_t due = INT64_MAX;
	struct lsv_db *db, *next;

	*naps = false;
	take_poked();
	for (db = LIST_FIRST(&watched); db; db = next) {
		next = LIST_NEXT(db, watched_link);
		lsv_look(db, lsv_clock_mono_ns());
		keep_led(db);
		if (!db->naps && !is_following(db) && !go_cold(db))
			db->naps = true;
		*naps |= db->naps;
		if (db->due_ns < due)
			due = db->due_ns;
		if (!db->naps && db->due_ns == INT64_MAX)
			unwatch(db);
	}
	return due;
}

static void nap(uint32_t word)
{
	lsv_futex_wait(&bell.word, word, NAP_NS);
}

/* Waits for the bell and for the words of led databases. */
static void sleep_until(uint32_t word, int64_t due)
{
	struct futex_waitv words[WORDS_MAX + 1] = {{0}};
	struct timespec until = {due / LSV_NS_PER_S, due % LSV_NS_PER_S};
	unsigned n = 1;
	struct lsv_db *db;

	words[0] = (struct futex_waitv){
		.val = word, .uaddr = (uintptr_t)&bell.word, .flags = FUTEX_32};
	LIST_FOREACH(db, &led, led_link)
	{
		if (n == WORDS_MAX + 1)
			break;
		words[n++] = (struct futex_waitv){
			.val = db->wake_seen,
			.uaddr = (uintptr_t)&lsv_db_coord(db)->wake,
			.flags = FUTEX_32,
		};
	}
	if (syscall(SYS_futex_waitv, words, n, 0,
	            due == INT64_MAX ? NULL : &until, CLOCK_MONOTONIC) < 0 &&
	    errno == ENOSYS) {
		/* Before Linux 5.16: other processes are heard by a timer. */
		int64_t wait_ns = due - lsv_clock_mono_ns();

		if (!LIST_EMPTY(&led) && wait_ns > WAIT_SLICE_NS)
			wait_ns = WAIT_SLICE_NS;
		lsv_futex_wait(&bell.word, word,
		               due == INT64_MAX && LIST_EMPTY(&led) ? -1
		                                                    : wait_ns);
	}
}

/* Other processes woke databases that we lead. */
static void hear(void)
{
	struct lsv_db *db;

	LIST_FOREACH(db, &led, led_link)
	{
		if (atomic_load(&lsv_db_coord(db)->wake) == db->wake_seen)
			continue;
		atomic_store(&lsv_db_coord(db)->sleeps, 0);
		if (!atomic_exchange(&db->hot, 1))
			enqueue(db);
	}
}

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		uint32_t word = atomic_load(&bell.word);
		int64_t due;
		bool naps;

		pthread_mutex_lock(&work_mutex);
		due = look_at_all(&naps);
		pthread_mutex_unlock(&work_mutex);
		atomic_store(&bell.sleep, naps ? NAPPING : ASLEEP);
		if (atomic_load(&bell.word) == word) {
			if (naps)
				nap(word);
			else if (due > lsv_clock_mono_ns())
				sleep_until(word, due);
		}
		atomic_store(&bell.sleep, AWAKE);
		pthread_mutex_lock(&work_mutex);
		hear();
		pthread_mutex_unlock(&work_mutex);
	}
	return NULL;
}

static void exclude(struct lsv_db *db, void *arg)
{
	(void)arg;
	db->is_fork_excluded = true;
	lsv_db_exclude(db);
}

static void readmit(struct lsv_db *db, void *arg)
{
	(void)arg;
	if (!db->is_fork_excluded)
		return;
	db->is_fork_excluded = false;
	lsv_db_readmit(db);
}

/* I16: no handle of ours on a database is open across a fork. */
static void before_fork(void)
{
	pthread_mutex_lock(&work_mutex);
	lsv_db_each(exclude, NULL);
	lsv_db_fork_prepare();
}

static void after_fork_in_parent(void)
{
	lsv_db_fork_parent();
	lsv_db_each(readmit, NULL);
	pthread_mutex_unlock(&work_mutex);
}

static void after_fork_in_child(void)
{
	pthread_mutex_init(&work_mutex, NULL);
	pthread_mutex_init(&poked_mutex, NULL);
	STAILQ_INIT(&poked);
	LIST_INIT(&watched);
	LIST_INIT(&led);
	is_started = false;
	atomic_store(&bell.sleep, AWAKE);
	lsv_job_fork_child();
	lsv_own_fork_child();
	lsv_db_fork_child();
}

/* Ends at the same moment for all databases. */
static void flush(struct lsv_db *db, void *arg)
{
	int64_t *began = arg;
	int64_t left = *began + db->config.shutdown_timeout_ns -
	               lsv_clock_mono_ns();

	if (!lsv_db_coord(db) || db->is_foreign ||
	    atomic_load(&db->last_put_failed) || left <= 0)
		return;
	if (!lsv_look_is_pending(db))
		return;
	if (lsv_worker_wait(db, lsv_worker_ticket(db), left, true) < 0)
		(void)log_warn(0,
		               "%s: exits before everything is on the replica; "
		               "the next open or lsvfs sync goes on",
		               db->path);
}

static void at_exit(void)
{
	int64_t now = lsv_clock_mono_ns();

	lsv_db_each(flush, &now);
}

static void init(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	atexit(at_exit);
}

void lsv_worker_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}
