/* SPDX-License-Identifier: MIT */
#include "vfs/checkpoint.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "vfs/copy.h"
#include "vfs/guard.h"
#include "vfs/lead.h"
#include "vfs/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUND_FRAMES 500 /* half of SQLite's default threshold */
#define ROUND_FRAMES_FULL                                                      \
	2000 /* the application's own has evidently not run                    \
	      */
#define GUARDED_FRAMES 1000
#define GUARDED_TRIES_MAX 400
#define DRAIN_FRAMES 4000
#define DRAIN_PAGE_SIZE 4096 /* of smaller pages it is as many bytes */
#define OUTRUN_FRAMES (DRAIN_FRAMES + DRAIN_FRAMES / 2)
#define DRAIN_MAX_NS (200 * LSV_NS_PER_MS)
#define DRAIN_TRIES 20 /* beside a reader */
#define DRAIN_TRY_NS (20 * LSV_NS_PER_MS)
#define DRAIN_PAUSE_NS 50000
#define DRAIN_APART_NS (20 * LSV_NS_PER_MS)
#define DRAIN_STEP_MAX (16 * DRAIN_FRAMES)
#define SMALL_BACKLOG 32 /* frames */
#define AGAIN_FRAMES 256
#define VISIT_NS (100 * LSV_NS_PER_MS)
#define BACKOFF_MIN_NS (2 * LSV_NS_PER_MS)
#define BACKOFF_MAX_NS (2 * LSV_NS_PER_S)

static _Atomic(int) n_stops;

/* The word 'drain' tells when it was raised, in ms, never 0: so that a leader
 * that died with it up stops nobody. */
static uint32_t drain_word(int64_t mono_ns)
{
	return (uint32_t)(mono_ns / LSV_NS_PER_MS) | 1;
}

static bool is_up(uint32_t word, int64_t *left_ns)
{
	uint32_t age = drain_word(lsv_clock_mono_ns()) - word;

	*left_ns = DRAIN_MAX_NS - (int64_t)age * LSV_NS_PER_MS;
	return word != 0 && *left_ns > 0;
}

static bool is_large(const struct lsv_shm *live, uint32_t n_frames)
{
	return live->mx_frame >= n_frames &&
	       (uint64_t)live->mx_frame * live->page_size >=
	               (uint64_t)n_frames * DRAIN_PAGE_SIZE;
}

/* The WAL has grown by as much as a drain is due for, while the worker is
 * still busy with what was there before. */
static bool outruns(struct lsv_file *main)
{
	struct lsv_db *db = main->db;
	uint32_t mark = atomic_load(&db->drain_mark);
	struct lsv_shm live;

	if (!atomic_load_explicit(&db->is_visited, memory_order_relaxed) ||
	    !main->shm || lsv_shm_read(main->shm, &live) < 0 ||
	    !is_large(&live, OUTRUN_FRAMES))
		return false;
	if (live.mx_frame >= mark && live.mx_frame - mark < DRAIN_FRAMES)
		return false;
	return atomic_compare_exchange_strong(&db->drain_mark, &mark,
	                                      live.mx_frame);
}

/* False: another one did, or the worker is no longer at it. */
static bool raise_drain(struct lsv_db *db, uint32_t *word)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	uint32_t now = drain_word(lsv_clock_mono_ns());

	if (!atomic_compare_exchange_strong(&coord->drain, word, now))
		return false;
	*word = now;
	if (atomic_load(&db->is_visited))
		return true;
	atomic_compare_exchange_strong(&coord->drain, &now, 0);
	return false;
}

bool lsv_checkpoint_yield(struct lsv_file *main)
{
	struct lsv_coord_page *coord = lsv_db_coord(main->db);
	bool waited = false;
	int64_t left_ns;

	if (!coord)
		return false;
	for (;;) {
		uint32_t word = atomic_load_explicit(&coord->drain,
		                                     memory_order_relaxed);

		if ((word == 0 || !is_up(word, &left_ns)) &&
		    (!outruns(main) || !raise_drain(main->db, &word) ||
		     !is_up(word, &left_ns)))
			return waited;
		waited = true;
		lsv_futex_wait(&coord->drain, word, left_ns);
	}
}

static void lower_drain(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	if (atomic_exchange(&coord->drain, 0))
		lsv_futex_wake(&coord->drain, INT_MAX);
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

static uint32_t backlog(const struct lsv_shm *live)
{
	return live->mx_frame - live->n_backfill;
}

/* Whoever wants the database for itself, or forks, is not kept waiting. */
static bool must_stop(struct lsv_db *db)
{
	return atomic_load(&db->interrupt) || atomic_load(&n_stops);
}

void lsv_checkpoint_stop(void)
{
	atomic_fetch_add(&n_stops, 1);
}

void lsv_checkpoint_go_on(void)
{
	atomic_fetch_sub(&n_stops, 1);
}

int lsv_checkpoint_sync_wal(struct lsv_file *wal, int flags)
{
	struct lsv_db *db = wal->db;
	sqlite3_file *lower = lsv_lower(wal);
	int fds[LSV_SHADOW_FDS], n = 0, rc;
	struct lsv_shm live;

	/* What the checkpoint will make resettable must be ours for good.  But
	 * others wait for a drain, and what a power loss takes then costs a
	 * snapshot. */
	if (lsv_db_live(db, &live) == 0 && live.mx_frame < DRAIN_FRAMES) {
		auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

		n = db->wal ? lsv_shadow_dup(db->wal, fds) : 0;
	}
	/* Both at once: the disk has to take the same bytes twice. */
	for (int i = 0; i < n; i++)
		sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	rc = lower->pMethods->xSync(lower, flags);
	for (int i = 0; i < n; i++) {
		fdatasync(fds[i]);
		close(fds[i]);
	}
	return rc;
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

/* One try at having all of the WAL in the database, and no writer who would
 * append behind it.  Most of it is done without WRITE, which nobody would
 * expect of us.  SQLITE_BUSY: a writer is at it, or (*is_read) a reader has
 * something older. */
static int finish(struct lsv_db *db, bool *is_read)
{
	struct lsv_shm live;
	int rc = SQLITE_OK;

	*is_read = false;
	if (catch_up(db) < 0 || lsv_db_live(db, &live) < 0)
		return SQLITE_ABORT;
	if (backlog(&live) > SMALL_BACKLOG) {
		rc = lsv_own_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
		if (rc != SQLITE_OK || lsv_db_live(db, &live) < 0)
			return SQLITE_ABORT;
	}
	*is_read = backlog(&live) > SMALL_BACKLOG;
	return *is_read ? SQLITE_BUSY
	                : lsv_own_checkpoint(db, SQLITE_CHECKPOINT_FULL);
}

static int try_to_finish(struct lsv_db *db)
{
	int64_t until_ns = lsv_clock_mono_ns() + DRAIN_TRY_NS;
	int n_read = 0, rc;
	bool is_read;

	for (;;) {
		rc = finish(db, &is_read);
		n_read += is_read;
		if (rc != SQLITE_BUSY || n_read == DRAIN_TRIES ||
		    lsv_clock_mono_ns() >= until_ns || must_stop(db))
			return rc;
		nanosleep(&(struct timespec){0, DRAIN_PAUSE_NS}, NULL);
	}
}

/* Not again before the WAL has grown: by little if nobody came by to reset it,
 * by more each time that it could not be done. */
static void remember_drain(struct lsv_db *db, int rc)
{
	struct lsv_shm live = {0};

	db->drain_due_ns = lsv_clock_mono_ns() + DRAIN_APART_NS;
	if (lsv_db_live(db, &live) < 0)
		return;
	memcpy(db->drain_salt, live.salt, sizeof db->drain_salt);
	atomic_store(&db->drain_mark, live.mx_frame);
	if (rc == SQLITE_OK)
		db->drain_step = 0;
	else if (db->drain_step == 0)
		db->drain_step = DRAIN_FRAMES;
	else if (db->drain_step < DRAIN_STEP_MAX)
		db->drain_step *= 2;
	db->drain_from = live.mx_frame +
	                 (db->drain_step ? db->drain_step : AGAIN_FRAMES);
}

/* New readers and writers wait; when all is in the database, the next writer
 * resets. */
static void drain(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t now_ns = lsv_clock_mono_ns();
	int rc;

	atomic_store(&coord->drain, drain_word(now_ns));
	wait_for_waiters(db, now_ns + DRAIN_MAX_NS / 2);
	rc = try_to_finish(db);
	catch_up(db);
	/* The next writer's gate wants it. */
	lsv_own_keep_ckpt(db, false);
	remember_drain(db, rc);
	lower_drain(db);
}

static bool drain_is_due(const struct lsv_db *db, const struct lsv_shm *live)
{
	return is_large(live, DRAIN_FRAMES) &&
	       (live->mx_frame >= db->drain_from ||
	        !lsv_salt_equal(live->salt, db->drain_salt)) &&
	       lsv_clock_mono_ns() >= db->drain_due_ns;
}

/* PASSIVE, back to back.  CKPT is kept in between: the application's own
 * auto-checkpoint would else slip in, with both its syncs.  False: it does not
 * get on. */
static bool run_rounds(struct lsv_db *db)
{
	int64_t until_ns = lsv_clock_mono_ns() + VISIT_NS;
	struct lsv_shm before, live;

	if (lsv_db_live(db, &live) < 0)
		return false;
	while (!drain_is_due(db, &live)) {
		before = live;
		if (lsv_own_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE) !=
		            SQLITE_OK ||
		    lsv_db_live(db, &live) < 0 ||
		    (live.n_backfill <= before.n_backfill &&
		     lsv_salt_equal(live.salt, before.salt)))
			return false;
		catch_up(db);
		if (lsv_db_live(db, &live) < 0 || must_stop(db))
			return false;
		if (backlog(&live) == 0 || lsv_clock_mono_ns() >= until_ns)
			return true;
	}
	drain(db);
	return true;
}

static bool round_off(struct lsv_db *db)
{
	bool gets_on;

	lsv_own_keep_ckpt(db, true);
	atomic_store(&db->is_visited, 1);
	gets_on = run_rounds(db);
	atomic_store(&db->is_visited, 0);
	lsv_own_keep_ckpt(db, false);
	lower_drain(db);
	return gets_on;
}

/* Programs that do not have us write, and the guard lets none of them reset
 * the WAL (guard.h): we do, as a last close does, once nothing is missing in
 * the database; with WRITE in hand, so after what can be done without it.
 * The larger it has become, the harder it is tried. */
static bool reset_guarded(struct lsv_db *db)
{
	struct lsv_shm live, after;
	int n_tries, rc;

	if (lsv_db_live(db, &live) < 0)
		return false;
	n_tries = (int)(live.mx_frame / GUARDED_FRAMES) * DRAIN_TRIES;
	if (n_tries > GUARDED_TRIES_MAX)
		n_tries = GUARDED_TRIES_MAX;
	catch_up(db);
	lsv_own_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
	catch_up(db);
	/* What others put into the database, nobody was seen to sync. */
	atomic_store(&db->saw_db_sync, 0);
	do {
		rc = lsv_own_checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
		if (rc == SQLITE_BUSY)
			nanosleep(&(struct timespec){0, DRAIN_PAUSE_NS}, NULL);
	} while (rc == SQLITE_BUSY && --n_tries > 0);
	catch_up(db);
	return lsv_db_live(db, &after) == 0 &&
	       !lsv_salt_equal(after.salt, live.salt);
}

static bool visit(struct lsv_db *db, bool (*work)(struct lsv_db *db))
{
	bool gets_on = false;
	int rc;

	if (lsv_db_enter(db) < 0)
		return false;
	lsv_own_lock();
	rc = lsv_own_attach(db);
	if (rc == SQLITE_OK) {
		gets_on = work(db);
		lsv_own_detach(db);
	} else if (rc == SQLITE_NOTADB) {
		go_native(db);
	}
	lsv_own_unlock();
	lsv_db_leave(db);
	return gets_on;
}

static bool checkpoint_once(struct lsv_db *db)
{
	return lsv_own_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE) == SQLITE_OK;
}

int lsv_checkpoint_now(struct lsv_db *db)
{
	return visit(db, checkpoint_once) ? 0 : -EBUSY;
}

static void visit_when_due(struct lsv_db *db, int64_t now_ns,
                           bool (*work)(struct lsv_db *db))
{
	if (now_ns >= db->round_due_ns) {
		db->round_backoff_ns = visit(db, work)
		                               ? 0
		                               : longer(db->round_backoff_ns);
		db->round_due_ns = lsv_clock_mono_ns() + db->round_backoff_ns;
	}
	look_again(db, db->round_due_ns);
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
	if (lsv_guard_is_held(db))
		visit_when_due(db, now_ns, reset_guarded);
	/* All of it is in the database: the next writer resets. */
	else if (backlog(&live) > 0 || drain_is_due(db, &live))
		visit_when_due(db, now_ns, round_off);
}
