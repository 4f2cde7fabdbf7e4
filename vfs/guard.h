/* SPDX-License-Identifier: MIT */
#ifndef LSV_GUARD_H
#define LSV_GUARD_H

/*
 * The guard keeps programs that do not have us from resetting the WAL before
 * it was copied: for "lsvfs replicate", which has no gate in them.
 *
 * A reset needs READ1..4 exclusively.  The guard holds one of them shared,
 * with the mark that says "not in use": no checkpoint stops at it, no reader
 * takes it, but whoever wants to reset is sent away and appends.  The WAL is
 * reset by our own TRUNCATE (checkpoint.c), which passes our gate: there the
 * guard steps aside, while WRITE is ours, and is back before it is let go.
 *
 * So while it holds, salts change only in one way: the first frame of an
 * empty WAL takes new ones (SQLite does, in a connection that has reset
 * nothing itself).  That is what it vouches for.
 *
 * All but lsv_guard_vouches() are for a thread that has entered the database
 * (lsv_db_enter) or excluded all others from it.
 */

#include "vfs/db.h"

/* Takes it where it is not held. */
void lsv_guard_hold(struct lsv_db *db);
void lsv_guard_drop(struct lsv_db *db);

/* Around the reset by our own handle, which has WRITE. */
void lsv_guard_step_aside(struct lsv_db *db);
void lsv_guard_step_back(struct lsv_db *db);

bool lsv_guard_is_held(struct lsv_db *db);

/* The WAL was empty when the guard was taken, and 'live' has the commits since
 * then, from the first one: *empty was its head.  In the worker's thread. */
bool lsv_guard_vouches(struct lsv_db *db, const struct lsv_shm *live,
                       struct lsv_shm *empty);

#endif
