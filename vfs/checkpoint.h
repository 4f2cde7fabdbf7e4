/* SPDX-License-Identifier: MIT */
#ifndef LSV_CHECKPOINT_H
#define LSV_CHECKPOINT_H

/*
 * When and how the WAL goes back into the database (design.md section 6):
 * PASSIVE rounds from 500 frames on, so that both fsyncs leave the commit
 * path; a drain when that does not bring a reset.  RESTART and TRUNCATE never.
 */

#include "vfs/db.h"

/* In the worker's thread, role LIVE.  May run a round; sets db->due_ns
 * earlier when another is wanted. */
void lsv_checkpoint_look(struct lsv_db *db, int64_t now_ns);

/* Before an application's handle takes a new READ_k: waits while a drain is on,
 * at most 200 ms (I5).  True: it did. */
bool lsv_checkpoint_yield(struct lsv_db *db);

#endif
