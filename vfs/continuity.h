/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONTINUITY_H
#define LSV_CONTINUITY_H

/*
 * Whether the database is still what the shadow's end says, by what costs
 * little: the WAL it stands in, or the file as a last close left it.  (What is
 * left is to hash it, vfs/begin.c.)  Under the shadow's mutex, of a shadow that
 * is begun; where it holds, the source stands at its end.
 */

#include "vfs/db.h"

/* Case 1: the incarnation that the shadow's end stands in is still the live
 * one, or a witnessed reset away: by the last record on disk, or (for an end
 * that is in no frame) by the shared page. */
bool lsv_continuity_of_wal(struct lsv_db *db, const struct lsv_shm *live);
/* Case 2: what is in the WAL now is all new. */
bool lsv_continuity_of_file(struct lsv_db *db, const struct lsv_shm *live);

/* The database file is as the last close left it, when everything was captured
 * and the WAL gone. */
bool lsv_continuity_is_untouched(struct lsv_db *db);

#endif
