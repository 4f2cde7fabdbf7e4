/* SPDX-License-Identifier: MIT */
#include "vfs/checkpoint.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "vfs/copy.h"
#include "vfs/guard.h"
#include "vfs/lead.h"
#include "vfs/own.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUND_FRAMES 500 /* half of SQLite's default threshold */
#define ROUND_FRAMES_FULL                                                      \
	2000 /* the application's own has evidently not run                    \
	      */
#define GUARDED_FRAMES 1000
#define GUARDED_TRIES_MAX 400
#define DRAIN_FRAMES 4000
#define DRAIN_BYTES (UINT64_C(16) << 20)
#define DRAIN_MAX_NS (200 * LSV_NS_PER_MS)
#define DRAIN_TRIES 20
#define DRAIN_PAUSE_NS 50000
#define BACKOFF_MIN_NS (20 * LSV_NS_PER_MS)
#define BACKOFF_MAX_NS (2 * LSV_NS_PER_S)

/* The word 'drain' tells when it was raised, in ms, never 0: so that a leader
 * that died with it up stops nobody. */
static uint32_t drain_word(int64_t mono_ns)
{
	return (uint32_t)(mono_ns / LSV_NS_PER_MS) | 1;
}

bool lsv_checkpoint_yield(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	bool waited = false;
	uint32_t word;

	if (!coord)
		return false;
	while ((word = atomic_load_explicit(&coord->drain,
	                                    memory_order_relaxed)) != 0) {
		int64_t age_ns =
			(int64_t)(uint32_t)(drain_word(lsv_clock_mono_ns()) -
		                            word) *
			LSV_NS_PER_MS;

		if (age_ns >= DRAIN_MAX_NS)
			return waited;
		waited = true;
		lsv_futex_wait(&coord->drain, word, DRAIN_MAX_NS - age_ns);
	}
	return waited;
}

static int64_t longer(int64_t backoff_ns)
{
	if (backoff_ns == 0)
		return BACKOFF_MIN_NS;
	return backoff_ns < BACKOFF_MAX_NS ? backoff_ns * 2 : backoff_ns;
}

static void look_again(struct lsv_db *db, int64_t at_ns)
{
	if (at_ns < db->due_ns)
		db->due_ns = at_ns;
}

/* What could not be read by SQLite itself is checkpointed by the application
 * alone. */
static void go_native(struct lsv_db *db)
{
	atomic_store(&db->native, 1);
	log_info("%s: cannot be read without its key: checkpoints are left to "
	         "the application",
	         db->path);
}

static int checkpoint(struct lsv_db *db, int mode, int n_tries)
{
	int rc = lsv_own_attach(db);

	if (rc == SQLITE_NOTADB)
		go_native(db);
	if (rc != SQLITE_OK)
		return rc;
	for (int i = 0; i < n_tries; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){0, DRAIN_PAUSE_NS}, NULL);
		rc = lsv_own_checkpoint(db, mode);
		if (rc != SQLITE_BUSY)
			break;
	}
	lsv_own_detach(db, false);
	return rc;
}

static int enter_and_checkpoint(struct lsv_db *db, int mode, int n_tries)
{
	int rc;

	if (lsv_db_enter(db) < 0)
		return SQLITE_BUSY;
	lsv_own_lock();
	rc = checkpoint(db, mode, n_tries);
	lsv_own_unlock();
	lsv_db_leave(db);
	return rc;
}

/* What the checkpoint will make resettable must be ours for good. */
static void sync_shadow(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (db->wal)
		lsv_shadow_sync(db->wal);
}

/* One PASSIVE; the next at once if it got anywhere, later if not. */
static void run_round(struct lsv_db *db, const struct lsv_shm *before,
                      int64_t now_ns)
{
	struct lsv_shm after;

	sync_shadow(db);
	enter_and_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, 1);
	if (lsv_db_live(db, &after) == 0 &&
	    (after.n_backfill > before->n_backfill ||
	     !lsv_salt_equal(after.salt, before->salt))) {
		db->round_backoff_ns = 0;
		db->round_due_ns = 0;
		return;
	}
	db->round_backoff_ns = longer(db->round_backoff_ns);
	db->round_due_ns = now_ns + db->round_backoff_ns;
}

/* Those who wait for the replica hold a read mark: let them go first. */
static void wait_for_waiters(struct lsv_db *db, int64_t until_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	while (atomic_load(&db->n_waiting) > 0 &&
	       lsv_clock_mono_ns() < until_ns) {
		uint32_t done = atomic_load(&coord->done);

		atomic_fetch_add(&coord->waiters, 1);
		lsv_futex_wait(&coord->done, done, LSV_NS_PER_MS);
		atomic_fetch_sub(&coord->waiters, 1);
	}
}

static int catch_up(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (!lsv_lead_holds(db) || atomic_load(&db->role) != LSV_LIVE)
		return -EAGAIN;
	return lsv_copy_commits(db, UINT64_MAX);
}

/* New readers and writers wait, a FULL goes through, the next writer resets. */
static void drain(struct lsv_db *db, int64_t now_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int rc = SQLITE_BUSY;

	/* What can be done before does not prolong it. */
	catch_up(db);
	sync_shadow(db);
	enter_and_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, 1);
	catch_up(db);
	now_ns = lsv_clock_mono_ns();
	atomic_store(&coord->drain, drain_word(lsv_clock_mono_ns()));
	wait_for_waiters(db, now_ns + DRAIN_MAX_NS / 2);
	if (catch_up(db) == 0)
		rc = enter_and_checkpoint(db, SQLITE_CHECKPOINT_FULL,
		                          DRAIN_TRIES);
	catch_up(db);
	atomic_store(&coord->drain, 0);
	lsv_futex_wake(&coord->drain, INT_MAX);
	db->drain_backoff_ns = rc == SQLITE_OK ? 0
	                                       : longer(db->drain_backoff_ns);
	db->drain_due_ns = lsv_clock_mono_ns() + BACKOFF_MIN_NS +
	                   db->drain_backoff_ns;
}

/* Programs that do not have us write, and the guard lets none of them reset
 * the WAL (guard.h): we do, as a last close does, once nothing is missing in
 * the database; with WRITE in hand, so after what can be done without it.
 * The larger it has become, the harder it is tried. */
static void reset_guarded(struct lsv_db *db, const struct lsv_shm *live)
{
	int n_tries = (int)(live->mx_frame / GUARDED_FRAMES) * DRAIN_TRIES;
	struct lsv_shm after;

	catch_up(db);
	sync_shadow(db);
	enter_and_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, 1);
	catch_up(db);
	/* What others put into the database, nobody was seen to sync. */
	atomic_store(&db->saw_db_sync, 0);
	enter_and_checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE,
	                     n_tries < GUARDED_TRIES_MAX ? n_tries
	                                                 : GUARDED_TRIES_MAX);
	catch_up(db);
	if (lsv_db_live(db, &after) == 0 &&
	    !lsv_salt_equal(after.salt, live->salt))
		db->round_backoff_ns = 0;
	else
		db->round_backoff_ns = longer(db->round_backoff_ns);
	db->round_due_ns = lsv_clock_mono_ns() + db->round_backoff_ns;
}

static bool drain_is_due(const struct lsv_db *db, const struct lsv_shm *live,
                         int64_t now_ns)
{
	return live->mx_frame >= DRAIN_FRAMES &&
	       (uint64_t)live->mx_frame * live->page_size >= DRAIN_BYTES &&
	       now_ns >= db->drain_due_ns;
}

void lsv_checkpoint_look(struct lsv_db *db, int64_t now_ns)
{
	uint32_t from = atomic_load(&db->is_sync_full) ? ROUND_FRAMES_FULL
	                                               : ROUND_FRAMES;
	struct lsv_shm live;

	if (lsv_guard_is_held(db))
		from = GUARDED_FRAMES;
	if (atomic_load(&db->native) || lsv_db_live(db, &live) < 0 ||
	    live.mx_frame < from)
		return;
	if (lsv_guard_is_held(db)) {
		if (now_ns >= db->round_due_ns)
			reset_guarded(db, &live);
		look_again(db, db->round_due_ns);
		return;
	}
	if (drain_is_due(db, &live, now_ns)) {
		drain(db, now_ns);
		return;
	}
	/* All of it is in the database: the next writer resets. */
	if (live.n_backfill >= live.mx_frame)
		return;
	if (now_ns >= db->round_due_ns)
		run_round(db, &live, now_ns);
	look_again(db, db->round_due_ns);
}
