/* SPDX-License-Identifier: MIT */
#ifndef LSV_WORKER_H
#define LSV_WORKER_H

/*
 * The one thread of a process that looks after all its databases: copies
 * commits into the shadow, runs checkpoints, decides what is due.  Snapshots
 * and uploads are jobs of a small pool (job.h), so that a slow replica delays
 * no copy.  Nothing runs before the first commit, nothing when idle (I13).
 */

/* Starts the process-wide handlers (fork, exit), once. */
void lsv_worker_init(void);

#endif
