/* SPDX-License-Identifier: MIT */
#ifndef LSV_SPACE_H
#define LSV_SPACE_H

/* What the local folder holds for the replicas, and how much at most (I7). */

#include "vfs/db.h"

/* Removes what no replica that can still get it lacks.  Takes the shadow's
 * mutex. */
void lsv_space_release(struct lsv_db *db);

/* Once a second while a replica is behind: beyond max-local-bytes those that
 * hold it up are given up; when nobody else is left the shadow is dropped and
 * the generation ends, and a snapshot heals it when one answers again. */
void lsv_space_bound(struct lsv_db *db, int64_t now_ns);

#endif
