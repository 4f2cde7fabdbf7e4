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

/* LIVE: begins an index with a snapshot. */
void lsv_begin_index(struct lsv_db *db, struct lsv_replica *none);

#endif
