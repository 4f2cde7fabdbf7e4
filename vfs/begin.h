/* SPDX-License-Identifier: MIT */
#ifndef LSV_BEGIN_H
#define LSV_BEGIN_H

/*
 * Jobs that read the database whole: a new generation, or a snapshot of the
 * one there is (design.md sections 5 and 7).
 */

#include "vfs/job.h"

/* ADRIFT with a reason: proves continuity by the page-hash checksum (case 3),
 * else begins a generation with a snapshot (case 4).  Opens the database by
 * itself when no application has it open. */
void lsv_begin(struct lsv_db *db, struct lsv_replica *none);

/* ADRIFT without a reason, and no application has the database open any more,
 * but somebody else has: opens it for as long as it takes to copy what the last
 * close left in the WAL. */
int lsv_begin_again(struct lsv_db *db);

/* LIVE: begins an index with a snapshot. */
void lsv_begin_index(struct lsv_db *db, struct lsv_replica *none);

#endif
