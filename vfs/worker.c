/* SPDX-License-Identifier: MIT */
#include "vfs/worker.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/digest.h"
#include "replica/store/http.h"
#include "vfs/begin.h"
#include "vfs/bell.h"
#include "vfs/checkpoint.h"
#include "vfs/job.h"
#include "vfs/listen.h"
#include "vfs/look.h"
#include "vfs/lost.h"
#include "vfs/own.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define NAP_NS (2 * LSV_NS_PER_MS)
#define EXIT_STOP_MS 500
#define WORDS_MAX 127
/* Of what nobody can listen to: see sleep_until(). */
#define LISTEN_NS (100 * LSV_NS_PER_MS)

/* Held for each bounded step; a fork takes it. */
static pthread_mutex_t work_mutex = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(watched_list, lsv_db) watched = LIST_HEAD_INITIALIZER(watched);
/* By their words, as many as a thread may wait on beside its bell ... */
static LIST_HEAD(led_list, lsv_db) led = LIST_HEAD_INITIALIZER(led);
static size_t n_led;
/* ... and by the listener. */
static struct led_list heard = LIST_HEAD_INITIALIZER(heard);

/* From the application's side to the worker's. */
static void take_poked(void)
{
	struct lsv_db *db;

	while ((db = lsv_bell_next())) {
		db->n_quiet = 0;
		db->due_ns = 0; /* it is looked at, hot or not */
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
static void keep(struct lsv_db *db)
{
	lsv_db_keep(db);
	db->ear = n_led < WORDS_MAX ? NULL : lsv_ear_open(db->dir);
	if (db->ear) {
		LIST_INSERT_HEAD(&heard, db, led_link);
		return;
	}
	n_led++;
	LIST_INSERT_HEAD(&led, db, led_link);
}

static void let_go(struct lsv_db *db)
{
	LIST_REMOVE(db, led_link);
	if (db->ear)
		lsv_ear_close(take(db->ear));
	else
		n_led--;
	lsv_db_release(db);
}

static void keep_led(struct lsv_db *db)
{
	bool leads = atomic_load(&db->role) >= LSV_ADRIFT;

	if (leads == db->is_led)
		return;
	db->is_led = leads;
	if (leads)
		keep(db);
	else
		let_go(db);
}

static void unwatch(struct lsv_db *db)
{
	db->is_watched = false;
	LIST_REMOVE(db, watched_link);
	lsv_db_release(db);
}

/* Goes to sleep over a database: whoever commits next must wake us.  False:
 * something came since 'hot' was read, before the last look. */
static bool go_cold(struct lsv_db *db, uint32_t hot)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	if (!atomic_compare_exchange_strong(&db->hot, &hot, 0))
		return false;
	if (atomic_load(&db->role) >= LSV_ADRIFT)
		atomic_store(&coord->sleeps,
		             db->ear ? LSV_LEADER_BY_FILE : LSV_LEADER_BY_WORD);
	if (!lsv_look_has_news(db))
		return true;
	atomic_store(&coord->sleeps, LSV_LEADER_AWAKE);
	/* Raised by a committer already: then it is queued again anyway. */
	atomic_fetch_add(&db->hot, 1);
	return false;
}

/* A follower with a timer does not want a second wake a commit: the leader's
 * is enough. */
static bool is_following(const struct lsv_db *db)
{
	return atomic_load(&db->role) < LSV_ADRIFT && db->due_ns != INT64_MAX;
}

/* It has a timer only, and that has not come: whatever happens to a cold
 * database makes it hot. */
static bool may_wait(struct lsv_db *db)
{
	return !db->naps && !atomic_load(&db->hot) &&
	       lsv_clock_mono_ns() < db->due_ns;
}

static void look_at(struct lsv_db *db)
{
	uint32_t hot = atomic_load(&db->hot);

	if (lsv_lost_look(db, lsv_clock_mono_ns())) {
		/* Its page is another one, or will be: listened to anew. */
		if (db->is_led)
			let_go(db);
		db->is_led = false;
		return;
	}
	lsv_look(db, lsv_clock_mono_ns());
	keep_led(db);
	if (!db->naps && !is_following(db) && !go_cold(db, hot))
		db->naps = true;
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
		if (!may_wait(db))
			look_at(db);
		*naps |= db->naps;
		if (db->due_ns < due)
			due = db->due_ns;
		if (!db->naps && db->due_ns == INT64_MAX)
			unwatch(db);
	}
	return due;
}

static void nap(uint32_t word, int64_t due)
{
	int64_t left_ns = due - lsv_clock_mono_ns();

	if (left_ns > 0)
		lsv_futex_wait(lsv_bell_word(), word,
		               left_ns < NAP_NS ? left_ns : NAP_NS);
}

static unsigned gather(struct futex_waitv words[WORDS_MAX])
{
	struct lsv_db *db;
	unsigned n = 0;

	LIST_FOREACH(db, &led, led_link)
	{
		if (n == WORDS_MAX)
			break;
		words[n++] = (struct futex_waitv){
			.val = db->wake_seen,
			.uaddr = (uintptr_t)&lsv_db_coord(db)->wake,
			.flags = FUTEX_32,
		};
	}
	return n;
}

/* For the bell and for the words of led databases.  False: here nobody can.
 * Before Linux 5.16 that is ENOSYS, under filters that do not know it EPERM. */
static bool wait_for_words(uint32_t word, int64_t due)
{
	struct futex_waitv words[1 + WORDS_MAX] = {{0}};
	struct timespec until = {due / LSV_NS_PER_S, due % LSV_NS_PER_S};
	unsigned n = 1 + gather(words + 1);

	words[0] = (struct futex_waitv){.val = word,
	                                .uaddr = (uintptr_t)lsv_bell_word(),
	                                .flags = FUTEX_32};
	return syscall(SYS_futex_waitv, words, n, 0,
	               due == INT64_MAX ? NULL : &until,
	               CLOCK_MONOTONIC) >= 0 ||
	       errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT;
}

/* Waits for the bell and for other processes' calls; those that cannot be
 * heard are looked for by a timer. */
static void sleep_until(uint32_t word, int64_t due)
{
	int64_t timer = lsv_clock_mono_ns() + LISTEN_NS, left_ns;

	if ((n_led > WORDS_MAX || lsv_listen_is_deaf()) && due > timer)
		due = timer;
	if (wait_for_words(word, due))
		return;
	if (!LIST_EMPTY(&led) && due > timer)
		due = timer;
	left_ns = due == INT64_MAX ? -1 : due - lsv_clock_mono_ns();
	if (due == INT64_MAX || left_ns > 0)
		lsv_futex_wait(lsv_bell_word(), word, left_ns);
}

static void hear_of(struct led_list *list)
{
	struct lsv_db *db;

	LIST_FOREACH(db, list, led_link)
	{
		if (atomic_load(&lsv_db_coord(db)->wake) == db->wake_seen)
			continue;
		atomic_store(&lsv_db_coord(db)->sleeps, LSV_LEADER_AWAKE);
		lsv_bell_heard(db);
	}
}

/* Other processes woke databases that we lead. */
static void hear(void)
{
	hear_of(&led);
	if (!LIST_EMPTY(&heard) && lsv_listen_has_heard())
		hear_of(&heard);
}

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		uint32_t word = atomic_load(lsv_bell_word());
		int64_t due, retry_ns;
		bool naps;

		pthread_mutex_lock(&work_mutex);
		due = look_at_all(&naps);
		retry_ns = lsv_job_retry();
		pthread_mutex_unlock(&work_mutex);
		if (retry_ns < due)
			due = retry_ns;
		lsv_bell_set_sleep(naps ? LSV_NAPPING : LSV_ASLEEP);
		if (atomic_load(lsv_bell_word()) == word) {
			if (naps)
				nap(word, due);
			else if (due > lsv_clock_mono_ns())
				sleep_until(word, due);
		}
		lsv_bell_set_sleep(LSV_AWAKE);
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
	lsv_checkpoint_stop();
	pthread_mutex_lock(&work_mutex);
	lsv_checkpoint_go_on();
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
	LIST_INIT(&watched);
	LIST_INIT(&led);
	LIST_INIT(&heard);
	n_led = 0;
	lsv_bell_fork_child();
	lsv_listen_fork_child();
	lsv_job_fork_child();
	lsv_own_fork_child();
	lsv_db_fork_child();
}

/* True: somebody left work to us just before we let go. */
static bool ship_and_leave(struct lsv_db *db, int64_t left_ns)
{
	int n_failing = atomic_load(&db->n_failing), r = 0;

	if (n_failing == (int)db->config.n_replicas)
		return false;
	if (lsv_look_is_pending(db))
		r = lsv_bell_wait(db, lsv_bell_ticket(db), left_ns, true);
	if (r == -ETIMEDOUT || (r < 0 && n_failing == 0))
		(void)log_warn(0,
		               "%s: exits before everything is on the replica; "
		               "the next open or lsvfs sync goes on",
		               db->path);
	return r == 0 && lsv_look_leave(db);
}

/* Ends at the same moment for all databases. */
static void flush(struct lsv_db *db, void *arg)
{
	const int64_t *began = arg;
	int64_t left_ns;

	if (!lsv_db_coord(db))
		return;
	do {
		left_ns = *began + db->config.shutdown_timeout_ns -
		          lsv_clock_mono_ns();
	} while (left_ns > 0 && ship_and_leave(db, left_ns));
}

static void at_exit(void)
{
	int64_t now = lsv_clock_mono_ns();

	lsv_db_each(flush, &now);
	/* What is on its way goes on at the next open; the libraries under it
	 * are taken down next. */
	lsv_http_stop_all(EXIT_STOP_MS);
}

static void init(void)
{
	lsv_bell_worker(work);
	/* Before the application's own first use of it, if need be. */
	lsv_digest_init();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	atexit(at_exit);
}

void lsv_worker_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}
