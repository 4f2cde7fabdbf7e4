/* SPDX-License-Identifier: MIT */
#include "vfs/guard.h"

#include "replica/base/log.h"
#include "vfs/bare.h"

#include <string.h>

#define SHM_READ(i) (3 + (i))
#define READERS_MAX 4
#define MARKS 100 /* of the shm's head: aReadMark[5] */
#define BACK_TRIES 1000
#define NOT_IN_USE UINT32_C(0xffffffff)
#define SHARED SQLITE_SHM_SHARED
#define EXCLUSIVE SQLITE_SHM_EXCLUSIVE

struct lsv_guard {
	struct lsv_bare bare;
	_Atomic(int) slot; /* READ1..4; 0: not held */
	bool is_empty;     /* the WAL was, when the slot was taken */
	uint32_t salt[2];
};

static int lock(struct lsv_guard *guard, int slot, int how)
{
	return lsv_bare_lock(&guard->bare, SHM_READ(slot),
	                     SQLITE_SHM_LOCK | how);
}

static void unlock(struct lsv_guard *guard, int slot, int how)
{
	lsv_bare_lock(&guard->bare, SHM_READ(slot), SQLITE_SHM_UNLOCK | how);
}

static _Atomic(uint32_t) *mark(struct lsv_guard *guard, int slot)
{
	return (_Atomic(uint32_t) *)(guard->bare.shm + MARKS +
	                             sizeof(uint32_t) * (size_t)slot);
}

/* A mark may be changed by who has its lock exclusively, as a checkpoint
 * does.  False: another reader has it, or was quicker in between. */
static bool take_slot(struct lsv_guard *guard, int slot)
{
	if (lock(guard, slot, EXCLUSIVE) != SQLITE_OK)
		return false;
	atomic_store(mark(guard, slot), NOT_IN_USE);
	unlock(guard, slot, EXCLUSIVE);
	if (lock(guard, slot, SHARED) != SQLITE_OK)
		return false;
	if (atomic_load(mark(guard, slot)) == NOT_IN_USE)
		return true;
	unlock(guard, slot, SHARED);
	return false;
}

/* The last slots are those that readers try last; the first one's mark has a
 * meaning of its own for checkpoints. */
static void take_any(struct lsv_guard *guard)
{
	struct lsv_shm live;

	for (int slot = READERS_MAX; slot > 1 && !guard->slot; slot--)
		if (take_slot(guard, slot))
			guard->slot = slot;
	/* Read after the slot was taken: from here on nobody resets. */
	guard->is_empty = guard->slot &&
	                  lsv_shm_read(guard->bare.shm, &live) == 0 &&
	                  live.mx_frame == 0;
	if (guard->is_empty)
		memcpy(guard->salt, live.salt, sizeof guard->salt);
}

static int open_guard(struct lsv_db *db, struct lsv_guard *guard)
{
	int r = guard->bare.file ? 0 : lsv_bare_open(db, &guard->bare);

	return r < 0 || guard->bare.shm ? r : lsv_bare_map(db, &guard->bare);
}

void lsv_guard_hold(struct lsv_db *db)
{
	if (!db->guard)
		db->guard = calloc(1, sizeof *db->guard);
	if (db->guard && !db->guard->slot && open_guard(db, db->guard) == 0)
		take_any(db->guard);
}

void lsv_guard_step_aside(struct lsv_db *db)
{
	if (lsv_guard_is_held(db))
		unlock(db->guard, db->guard->slot, SHARED);
	if (db->guard)
		db->guard->slot = 0;
}

void lsv_guard_step_back(struct lsv_db *db)
{
	struct lsv_guard *guard = db->guard;

	if (!guard || guard->slot || !guard->bare.shm)
		return;
	/* Nobody can have a mark in an empty WAL, and nobody makes one longer
	 * as long as WRITE is ours: who is in the way looks for a slot and
	 * goes on. */
	for (int i = 0; i < BACK_TRIES && !guard->slot; i++)
		take_any(guard);
	if (!guard->slot)
		log_debug("%s: the guard is not back", db->path);
}

void lsv_guard_drop(struct lsv_db *db)
{
	lsv_guard_step_aside(db);
	/* The rest stays as long as the database: the worker may be asking
	 * whether it is held. */
	if (db->guard)
		lsv_bare_close(&db->guard->bare);
}

bool lsv_guard_is_held(struct lsv_db *db)
{
	return db->guard && db->guard->slot;
}

bool lsv_guard_vouches(struct lsv_db *db, const struct lsv_shm *live,
                       struct lsv_shm *empty)
{
	const struct lsv_guard *guard = db->guard;

	if (!lsv_guard_is_held(db) || !guard->is_empty || live->mx_frame == 0)
		return false;
	*empty = (struct lsv_shm){
		.page_size = live->page_size,
		.salt = {guard->salt[0], guard->salt[1]},
	};
	return true;
}
