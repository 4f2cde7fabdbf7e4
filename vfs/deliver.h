/* SPDX-License-Identifier: MIT */
#ifndef LSV_DELIVER_H
#define LSV_DELIVER_H

/*
 * The job that brings a replica up to the shadow: snapshot, then lineage and
 * owner, then segments in order, each acknowledged before the next (I9).
 */

#include "vfs/job.h"

void lsv_deliver(struct lsv_db *db);

/* Only asks whether the replica takes objects: puts owner.json again. */
void lsv_deliver_probe(struct lsv_db *db);

/* Under db->mutex: is there anything that the replica lacks, and when may it
 * be tried (monotonic)? */
bool lsv_deliver_wanted(struct lsv_db *db, const struct lsv_pos *end);

#endif
