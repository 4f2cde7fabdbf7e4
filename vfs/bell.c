/* SPDX-License-Identifier: MIT */
#include "vfs/bell.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/base/thread.h"
#include "replica/spool/coord.h"

#include <errno.h>
#include <limits.h>

#define WAIT_SLICE_NS (100 * LSV_NS_PER_MS)
#define START_AGAIN_NS LSV_NS_PER_S

/* The process's own bell: rung by commits whose leader is this process. */
static struct {
	_Atomic(uint32_t) word;
	_Atomic(int) sleep; /* enum lsv_sleep */
} bell;

static pthread_mutex_t poked_mutex = PTHREAD_MUTEX_INITIALIZER;
static STAILQ_HEAD(poked_list, lsv_db) poked = STAILQ_HEAD_INITIALIZER(poked);
static bool is_started; /* under poked_mutex */
/* When a worker thread that could not be had is tried for again; 0: there is
 * one, or none was wanted yet. */
static _Atomic(int64_t) start_due_ns;
static void *(*worker)(void *arg);

static void ring(bool also_napping)
{
	int sleep;

	atomic_fetch_add(&bell.word, 1);
	sleep = atomic_load(&bell.sleep);
	if (sleep == LSV_ASLEEP || (also_napping && sleep == LSV_NAPPING))
		lsv_futex_wake(&bell.word, 1);
}

/* Under poked_mutex.  Said once an episode. */
static void start(void)
{
	bool was_tried = atomic_load(&start_due_ns) != 0;
	int r;

	if (is_started)
		return;
	r = lsv_thread_start(worker, NULL);
	is_started = r == 0;
	atomic_store(&start_due_ns,
	             is_started ? 0 : lsv_clock_mono_ns() + START_AGAIN_NS);
	if (r < 0 && !was_tried)
		log_error(r, "cannot start the worker thread: nothing is "
		             "replicated until it can");
	if (r == 0 && was_tried)
		log_info("the worker thread could be started: what waited is "
		         "replicated now");
}

/* The process had as many threads as it may have, or no memory for one. */
static void start_again(void)
{
	int64_t due_ns = atomic_load(&start_due_ns);

	if (due_ns == 0 || lsv_clock_mono_ns() < due_ns)
		return;
	pthread_mutex_lock(&poked_mutex);
	start();
	pthread_mutex_unlock(&poked_mutex);
}

static void enqueue(struct lsv_db *db)
{
	if (db->family != lsv_family())
		return;
	pthread_mutex_lock(&poked_mutex);
	if (!db->is_poked) {
		lsv_db_keep(db);
		STAILQ_INSERT_TAIL(&poked, db, poked_link);
	}
	db->is_poked = true;
	start();
	pthread_mutex_unlock(&poked_mutex);
}

static void wake_leader(struct lsv_db *db, bool always)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	uint32_t sleeps;

	atomic_fetch_add(&coord->wake, 1);
	sleeps = atomic_load(&coord->sleeps);
	if (sleeps == LSV_LEADER_BY_FILE)
		lsv_coord_call(db->dir);
	else if (always || sleeps == LSV_LEADER_BY_WORD)
		lsv_futex_wake(&coord->wake, INT_MAX);
}

void lsv_bell_poke(struct lsv_db *db)
{
	if (atomic_load(&db->role) == LSV_FOLLOWING)
		wake_leader(db, false);
	if (atomic_fetch_add(&db->hot, 1)) {
		start_again();
		return;
	}
	enqueue(db);
	ring(false);
}

void lsv_bell_call(struct lsv_db *db)
{
	wake_leader(db, true);
}

void lsv_bell_hurry(struct lsv_db *db)
{
	if (!lsv_db_coord(db))
		return;
	if (atomic_load(&db->role) == LSV_FOLLOWING)
		wake_leader(db, true);
	lsv_bell_heard(db);
	start_again();
	ring(true);
}

bool lsv_bell_is_awaited(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	return atomic_load(&coord->request) >
	       atomic_load(&coord->shipped_ticket);
}

void lsv_bell_shipped(struct lsv_coord_page *coord, uint64_t ticket)
{
	uint64_t known = atomic_load(&coord->shipped_ticket);

	while (known < ticket)
		if (atomic_compare_exchange_weak(&coord->shipped_ticket, &known,
		                                 ticket)) {
			atomic_fetch_add(&coord->done, 1);
			lsv_futex_wake(&coord->done, INT_MAX);
			return;
		}
}

uint64_t lsv_bell_ticket(struct lsv_db *db)
{
	/* Also by who still commits while the process ends. */
	atomic_store(&db->is_leaving, 0);
	return atomic_fetch_add(&lsv_db_coord(db)->request, 1) + 1;
}

/* A ticket of a page that was lost since is drawn again.  Which page it was is
 * looked at last: it may be replaced in between. */
static bool is_shipped(struct lsv_db *db, uint64_t *ticket)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	uint64_t shipped = atomic_load(&coord->shipped_ticket);

	if (*ticket > coord->first_ticket)
		return shipped >= *ticket;
	*ticket = lsv_bell_ticket(db);
	return false;
}

/* The replicas that answer have all of it: what is still missing is refused,
 * or failed. */
static int in_vain(struct lsv_db *db, uint64_t ticket, bool give_up)
{
	if (atomic_load(&db->n_failing) == 0 ||
	    atomic_load(&db->answering_ticket) < ticket)
		return 0;
	if (atomic_load(&db->n_refused))
		return -EPERM;
	return give_up ? -EIO : 0;
}

int lsv_bell_wait(struct lsv_db *db, uint64_t ticket, int64_t timeout_ns,
                  bool give_up)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t until = lsv_clock_mono_ns() + timeout_ns;
	int r = 0;

	atomic_fetch_add(&coord->waiters, 1);
	lsv_bell_hurry(db);
	while (!is_shipped(db, &ticket)) {
		uint32_t done = atomic_load(&coord->done);
		int64_t now = lsv_clock_mono_ns();

		if (is_shipped(db, &ticket))
			break;
		if (timeout_ns >= 0 && now >= until) {
			r = -ETIMEDOUT;
			break;
		}
		r = in_vain(db, ticket, give_up);
		if (r < 0)
			break;
		lsv_futex_wait(&coord->done, done,
		               timeout_ns < 0 || until - now > WAIT_SLICE_NS
		                       ? WAIT_SLICE_NS
		                       : until - now);
		if (lsv_clock_mono_ns() - now >= WAIT_SLICE_NS)
			lsv_bell_hurry(db);
	}
	atomic_fetch_sub(&coord->waiters, 1);
	return r;
}

void lsv_bell_worker(void *(*work)(void *))
{
	worker = work;
}

struct lsv_db *lsv_bell_next(void)
{
	struct lsv_db *db;

	pthread_mutex_lock(&poked_mutex);
	db = STAILQ_FIRST(&poked);
	if (db) {
		STAILQ_REMOVE_HEAD(&poked, poked_link);
		db->is_poked = false;
	}
	pthread_mutex_unlock(&poked_mutex);
	return db;
}

void lsv_bell_heard(struct lsv_db *db)
{
	if (!atomic_fetch_add(&db->hot, 1))
		enqueue(db);
}

void lsv_bell_ring(void)
{
	ring(false);
}

_Atomic uint32_t *lsv_bell_word(void)
{
	return &bell.word;
}

void lsv_bell_set_sleep(enum lsv_sleep sleep)
{
	atomic_store(&bell.sleep, sleep);
}

void lsv_bell_fork_child(void)
{
	pthread_mutex_init(&poked_mutex, NULL);
	STAILQ_INIT(&poked);
	is_started = false;
	atomic_store(&start_due_ns, 0);
	lsv_bell_set_sleep(LSV_AWAKE);
}
