/* SPDX-License-Identifier: MIT */
#include "vfs/gate.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/spool/witness.h"
#include "vfs/bell.h"
#include "vfs/guard.h"
#include "vfs/lead.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SHM_CKPT 1
#define SHM_READ1 4
#define LOCK_EX (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE)
#define UNLOCK_EX (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)
#define WRITER_BUDGET (UINT64_C(1) << 20)
#define WRITER_WAIT_NS LSV_NS_PER_MS
#define CHECKPOINTER_WAIT_NS LSV_NS_PER_S

static int lower_lock(struct lsv_file *main, int offset, int n, int flags)
{
	sqlite3_file *lower = lsv_lower(main);

	return lower->pMethods->xShmLock(lower, offset, n, flags);
}

/* What the shared page says: all of 'live' is in the shadow, or there is no
 * generation that could miss it. */
static bool is_captured(struct lsv_db *db, const struct lsv_shm *live,
                        bool *has_generation, uint64_t *txid)
{
	struct lsv_captured captured;
	bool is_new = false;

	*has_generation = true;
	if (!lsv_coord_captured(lsv_db_coord(db), &captured))
		return false;
	*has_generation = captured.generation != 0;
	*txid = captured.txid;
	if (captured.generation == 0 ||
	    !lsv_witness_follows(lsv_db_coord(db), captured.salt,
	                         captured.frame, live, &is_new))
		return false;
	return is_new ? live->mx_frame == 0 : captured.frame == live->mx_frame;
}

/* Another process leads: wakes it and waits while it advances. */
static bool wait_for_leader(struct lsv_db *db, const struct lsv_shm *live,
                            int64_t wait_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t until = lsv_clock_mono_ns() + wait_ns;
	uint64_t txid = 0, before = 0;
	bool has_generation;

	for (;;) {
		uint32_t done = atomic_load(&coord->done);

		if (is_captured(db, live, &has_generation, &txid) ||
		    !has_generation)
			return true;
		if (txid != before) {
			before = txid;
			until = lsv_clock_mono_ns() + wait_ns;
		}
		if (lsv_clock_mono_ns() >= until)
			return false;
		lsv_bell_hurry(db);
		atomic_fetch_add(&coord->waiters, 1);
		lsv_futex_wait(&coord->done, done, wait_ns / 4);
		atomic_fetch_sub(&coord->waiters, 1);
	}
}

/* The shadow holds every commit of the WAL, or nothing of ours depends on it
 * (I2).  'is_writer': may be sent away with BUSY. */
static bool complete(struct lsv_file *main, bool is_writer)
{
	struct lsv_db *db = main->db;
	struct lsv_shm live;
	bool has_generation;
	uint64_t txid;
	int r;

	if (!main->shm || lsv_shm_read(main->shm, &live) < 0 ||
	    !lsv_db_activate(db))
		return true;
	if (is_captured(db, &live, &has_generation, &txid))
		return true;
	r = lsv_lead_settle(db, is_writer ? WRITER_BUDGET : UINT64_MAX);
	if (r != -EAGAIN)
		return true;
	/* Too much is missing, or the worker is at it: it will go on, and
	 * SQLite appends. */
	if (is_writer && atomic_load(&db->role) >= LSV_ADRIFT) {
		lsv_bell_hurry(db);
		return false;
	}
	return wait_for_leader(
		db, &live, is_writer ? WRITER_WAIT_NS : CHECKPOINTER_WAIT_NS);
}

/* Our own reset, which has WRITE: the guard gives way for as long. */
static void guard_aside(struct lsv_file *main)
{
	if (main->is_ours && main->has_write)
		lsv_guard_step_aside(main->db);
}

static void guard_back(struct lsv_file *main)
{
	if (main->is_ours && main->has_write)
		lsv_guard_step_back(main->db);
}

int lsv_gate_enter(struct lsv_file *main)
{
	bool takes_ckpt = !main->has_ckpt;
	struct lsv_shm live;
	int rc = SQLITE_OK;

	/* A checkpointer that read the header before this reset would store a
	 * stale nBackfill after it: keep them out (the WAL-reset bug). */
	if (takes_ckpt)
		rc = lower_lock(main, SHM_CKPT, 1, LOCK_EX);
	if (rc != SQLITE_OK)
		return rc;
	guard_aside(main);
	rc = lower_lock(main, SHM_READ1, 4, LOCK_EX);
	if (rc == SQLITE_OK && !complete(main, takes_ckpt) && takes_ckpt) {
		lower_lock(main, SHM_READ1, 4, UNLOCK_EX);
		rc = SQLITE_BUSY;
	}
	if (rc != SQLITE_OK) {
		guard_back(main);
		if (takes_ckpt)
			lower_lock(main, SHM_CKPT, 1, UNLOCK_EX);
		return rc;
	}
	main->in_gate = true;
	main->gate_took_ckpt = takes_ckpt;
	main->has_gate_head = lsv_shm_read(main->shm, &live) == 0;
	if (main->has_gate_head) {
		memcpy(main->gate_salt, live.salt, sizeof live.salt);
		main->gate_frame = live.mx_frame;
	}
	return SQLITE_OK;
}

void lsv_gate_leaving(struct lsv_file *main)
{
	struct lsv_coord_page *coord = lsv_db_coord(main->db);
	struct lsv_shm live;

	if (!main->in_gate || !main->has_gate_head || !coord ||
	    lsv_shm_read(main->shm, &live) < 0 ||
	    lsv_salt_equal(live.salt, main->gate_salt))
		return;
	lsv_witness_reset(coord, main->gate_salt, main->gate_frame, live.salt);
	if (main->gate_frame > 0 && !atomic_exchange(&main->db->saw_db_sync, 0))
		atomic_fetch_add(&coord->unsynced_resets, 1);
	memcpy(main->seen_salt, live.salt, sizeof main->seen_salt);
	main->seen_frame = live.mx_frame;
}

void lsv_gate_left(struct lsv_file *main)
{
	if (!main->in_gate)
		return;
	main->in_gate = false;
	guard_back(main);
	if (main->gate_took_ckpt)
		lower_lock(main, SHM_CKPT, 1, UNLOCK_EX);
	main->gate_took_ckpt = false;
}

void lsv_gate_barrier(struct lsv_file *main)
{
	struct lsv_shm live;

	main->has_barrier_salt = main->shm &&
	                         lsv_shm_read(main->shm, &live) == 0;
	if (main->has_barrier_salt)
		memcpy(main->barrier_salt, live.salt, sizeof live.salt);
}

bool lsv_gate_may_backfill(struct lsv_file *main)
{
	struct lsv_shm live;

	return !main->has_barrier_salt || !main->shm ||
	       lsv_shm_read(main->shm, &live) < 0 ||
	       lsv_salt_equal(live.salt, main->barrier_salt);
}

void lsv_gate_checkpoint(struct lsv_file *main)
{
	struct lsv_db *db = main->db;
	struct stat st;

	if (!lsv_db_coord(db) && stat(db->dir, &st) < 0)
		return;
	/* In heap memory there is no gate, and no other moment. */
	if (main->is_heap || atomic_load(&db->role) != LSV_LIVE)
		lsv_lead_settle(db, UINT64_MAX);
}

void lsv_gate_exclusive(struct lsv_file *main)
{
	struct lsv_db *db = main->db;
	struct lsv_shm live;
	struct stat st;
	int64_t until;

	main->caught_up = false;
	/* A database that was never in WAL mode here has nothing to settle. */
	if (!main->shm && !main->is_heap)
		return;
	/* What other connections committed since this one last did: nobody
	 * tells it again before its own next reset (exclusive mode). */
	if (main->shm && lsv_shm_read(main->shm, &live) == 0) {
		memcpy(main->seen_salt, live.salt, sizeof main->seen_salt);
		main->seen_frame = live.mx_frame;
	}
	if (!lsv_db_coord(db) && stat(db->dir, &st) < 0)
		return;
	until = lsv_clock_mono_ns() + CHECKPOINTER_WAIT_NS;
	for (;;) {
		int r = lsv_lead_settle(db, UINT64_MAX);
		uint32_t done;

		main->caught_up = r == 0;
		if (r != -EAGAIN || lsv_clock_mono_ns() >= until)
			return;
		/* A process without a connection still leads: it lets go when
		 * it is woken. */
		done = atomic_load(&lsv_db_coord(db)->done);
		lsv_bell_hurry(db);
		lsv_futex_wait(&lsv_db_coord(db)->done, done,
		               10 * LSV_NS_PER_MS);
	}
}

/* What tells at the next open that nobody wrote meanwhile.  Where it cannot be
 * had the page hashes must tell. */
static void remember_file(struct lsv_db *db)
{
	struct lsv_tuple tuple;

	if (lsv_tuple_of(db->path, &tuple) < 0 || !lsv_tuple_settle(&tuple))
		return;
	tuple.pos = (struct lsv_pos){db->generation, lsv_shadow_index(db->wal),
	                             lsv_shadow_end(db->wal)->commit.end};
	db->tuple = tuple;
	lsv_replicas_store_held(db);
}

void lsv_gate_closing(struct lsv_file *main)
{
	struct lsv_db *db = main->db;
	auto_unlock pthread_mutex_t *held = NULL;
	struct stat st;

	if (!main->caught_up || !main->is_exclusive)
		return;
	if (stat(db->wal_path, &st) == 0 && st.st_size > 0)
		return;
	held = lsv_lock(&db->shadow);
	if (!lsv_lead_holds(db) || !db->is_begun || !db->wal)
		return;
	if (!atomic_exchange(&db->saw_db_sync, 0))
		atomic_fetch_add(&lsv_db_coord(db)->unsynced_resets, 1);
	remember_file(db);
	lsv_pagemap_mark(db->pages, lsv_shadow_index(db->wal),
	                 lsv_shadow_end(db->wal)->commit.end);
	/* Its WAL is gone, and its head was that of this WAL: whoever stayed
	 * attached, or attached to it now, would take the next WAL for a
	 * stranger's work. */
	lsv_lead_detach(db);
	pthread_mutex_lock(&db->mutex);
	main->is_heap = false;
	pthread_mutex_unlock(&db->mutex);
}
