/* SPDX-License-Identifier: MIT */
#ifndef LSV_GATE_H
#define LSV_GATE_H

/*
 * The gate before a reset of the WAL, and the guard against SQLite's
 * WAL-reset bug (design.md sections 4 and 6; I2).
 */

#include "vfs/db.h"

/* xShmLock(4, 4, LOCK | EXCLUSIVE), the lower call included. */
int lsv_gate_enter(struct lsv_file *main);
/* Before, and after, its UNLOCK is passed down. */
void lsv_gate_leaving(struct lsv_file *main);
void lsv_gate_left(struct lsv_file *main);

/* READ0 was granted exclusively to a handle with CKPT: a backfill begins.
 * False: the WAL was reset since the handle read its header. */
bool lsv_gate_may_backfill(struct lsv_file *main);
/* xShmBarrier of a handle with CKPT. */
void lsv_gate_barrier(struct lsv_file *main);

/* CKPT_START: continuity is decided before the database file changes. */
void lsv_gate_checkpoint(struct lsv_file *main);

/* EXCLUSIVE on the database was granted: the last close, journal_mode or
 * locking_mode.  Completes the shadow. */
void lsv_gate_exclusive(struct lsv_file *main);
/* EXCLUSIVE is about to be let go.  When that was a last close, which left
 * everything captured and no WAL: remembers the file as it is, so that the
 * next open continues (continuity's case 2). */
void lsv_gate_closing(struct lsv_file *main);

#endif
