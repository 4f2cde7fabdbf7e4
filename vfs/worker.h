/* SPDX-License-Identifier: MIT */
#ifndef LSV_WORKER_H
#define LSV_WORKER_H

/*
 * The one thread of a process that looks after all its databases: copies
 * commits into the shadow, runs checkpoints, decides what is due.  Snapshots
 * and uploads are jobs of a small pool (job.h), so that a slow replica delays
 * no copy.  Nothing runs before the first commit, nothing when idle (I13).
 */

#include <stdbool.h>
#include <stdint.h>

struct lsv_db;

/* Something to do for this database: at most one futex wake, none while the
 * worker looks at it by itself. */
void lsv_worker_poke(struct lsv_db *db);
/* As poke, but now: somebody waits. */
void lsv_worker_hurry(struct lsv_db *db);

/* Draws a ticket and waits until it is on the replica: every commit made
 * until now.  timeout_ns <0: no limit.  0, -ETIMEDOUT, -EPERM (the
 * replica is another database's), -EIO (the last put failed and 'give_up' is
 * set). */
int lsv_worker_wait(struct lsv_db *db, uint64_t ticket, int64_t timeout_ns,
                    bool give_up);
uint64_t lsv_worker_ticket(struct lsv_db *db);

/* Starts the process-wide handlers (fork, exit), once. */
void lsv_worker_init(void);

#endif
