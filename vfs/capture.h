/* SPDX-License-Identifier: MIT */
#ifndef LSV_CAPTURE_H
#define LSV_CAPTURE_H

/*
 * What the application's thread does about a commit: notices that it
 * happened, stamps it, wakes whoever copies.  No copy, no sync, at most one
 * futex wake (I5).
 */

#include "vfs/db.h"

/* WRITE was granted, or is about to be let go. */
void lsv_capture_begin(struct lsv_file *main);
void lsv_capture_end(struct lsv_file *main);

/* SQLITE_FCNTL_COMMIT_PHASETWO: the commit is visible.  SQLITE_OK, or what
 * durability=replica answers on its timeout. */
int lsv_capture_phase_two(struct lsv_file *main);

/* A write to the -wal, before it is passed down.  Follows the exclusive
 * modes, in which resets come without a lock. */
void lsv_capture_wal_write(struct lsv_file *wal, const void *buf, int n,
                           sqlite3_int64 at);
void lsv_capture_wal_truncate(struct lsv_file *wal);
/* The exclusive modes, in which no unlock of WRITE says that a commit happened:
 * what was written so far is final.  At PHASETWO, and, because that does not
 * come when an ATTACHed sibling fails, at CKPT_START (without which no reset
 * is possible), xSync and the close, too. */
void lsv_capture_finalise(struct lsv_file *main);

/* Around what resets the WAL or changes the database file without a lock of
 * the shm; true: to be taken back. */
bool lsv_capture_exclude(struct lsv_file *main);
void lsv_capture_readmit(struct lsv_file *main);

/* CKPT_START and CKPT_DONE (or the close that stands for it). */
void lsv_capture_checkpoint_begins(struct lsv_file *main);
void lsv_capture_checkpoint_ends(struct lsv_file *main);

#endif
