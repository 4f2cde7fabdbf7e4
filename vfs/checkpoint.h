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

/* xSync of the WAL by our own handle, in a checkpoint: with the shadow. */
int lsv_checkpoint_sync_wal(struct lsv_file *wal, int flags);

/* Around a fork: ends what is going on soon. */
void lsv_checkpoint_stop(void);
void lsv_checkpoint_go_on(void);

/* A PASSIVE one at once, in any thread.  -EBUSY: somebody else is at it. */
int lsv_checkpoint_now(struct lsv_db *db);

/* Before an application's handle takes a new READ_k: waits while a drain is on,
 * at most 200 ms for each 4000 frames (I5).  True: it did. */
bool lsv_checkpoint_yield(struct lsv_file *main);

#endif
