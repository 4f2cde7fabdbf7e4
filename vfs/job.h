/* SPDX-License-Identifier: MIT */
#ifndef LSV_JOB_H
#define LSV_JOB_H

/*
 * What may take long, away from the worker: beginning a generation, a
 * snapshot, uploads.  A small lazy pool; one job a database at a time, so that
 * puts of one database never overlap (I9).
 */

#include "vfs/db.h"

typedef void lsv_job_fn(struct lsv_db *db);

/* False: one is queued or running already, or no thread can be had. */
bool lsv_job_queue(struct lsv_db *db, lsv_job_fn *fn);
void lsv_job_fork_child(void);

#endif
