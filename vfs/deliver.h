/* SPDX-License-Identifier: MIT */
#ifndef LSV_DELIVER_H
#define LSV_DELIVER_H

/*
 * The job that brings one replica up to the shadow: snapshot, then lineage and
 * owner, then segments in order, each acknowledged before the next (I9).
 */

#include "vfs/job.h"

void lsv_deliver(struct lsv_db *db, struct lsv_replica *replica);

/* Only asks whether the replica takes objects: puts owner.json again. */
void lsv_deliver_probe(struct lsv_db *db, struct lsv_replica *replica);

#endif
