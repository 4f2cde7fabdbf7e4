/* SPDX-License-Identifier: MIT */
#ifndef LSV_JOB_H
#define LSV_JOB_H

/*
 * What may take long, away from the worker: beginning a generation, a
 * snapshot, uploads.  A lazy pool; one job a replica at a time, so that puts
 * onto one never overlap (I9), and one that reads the database.  Replicas that
 * fail, and may keep a thread for as long as their time-outs last, get few of
 * the threads, so that those that answer are served.
 */

#include "vfs/db.h"

/* 'replica' is NULL for a job of the database. */
typedef void lsv_job_fn(struct lsv_db *db, struct lsv_replica *replica);

/* Nothing where one of the replica (or database) is queued or running. */
void lsv_job_queue(struct lsv_db *db, struct lsv_replica *replica,
                   lsv_job_fn *fn);
/* Jobs for which no thread could be had get one now, or are to be asked for
 * again then (monotonic; INT64_MAX: there are none). */
int64_t lsv_job_retry(void);
void lsv_job_fork_child(void);

#endif
