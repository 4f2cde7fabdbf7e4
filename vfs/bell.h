/* SPDX-License-Identifier: MIT */
#ifndef LSV_BELL_H
#define LSV_BELL_H

/*
 * Between the application's threads and the worker: what is to be looked at,
 * and waking who does it, in this process or in the leader's.
 */

#include "vfs/db.h"

/* Something to do for this database: at most one futex wake, none while the
 * worker looks at it by itself. */
void lsv_bell_poke(struct lsv_db *db);
/* As poke, but now: somebody waits. */
void lsv_bell_hurry(struct lsv_db *db);
/* Wakes another process that leads. */
void lsv_bell_call(struct lsv_db *db);

/* Draws a ticket, and waits until it is on the replica: every commit made
 * until it was drawn.  timeout_ns <0: no limit.  0, -ETIMEDOUT, -EPERM (the
 * replica is another database's), -EIO (the last put failed and 'give_up' is
 * set). */
uint64_t lsv_bell_ticket(struct lsv_db *db);
int lsv_bell_wait(struct lsv_db *db, uint64_t ticket, int64_t timeout_ns,
                  bool give_up);

/* Somebody waits for a ticket, in whatever process. */
bool lsv_bell_is_awaited(struct lsv_db *db);
/* What it waits for, at least until this ticket, is on every replica. */
void lsv_bell_shipped(struct lsv_coord_page *coord, uint64_t ticket);

/* ---- The worker's side ---- */

enum lsv_sleep { LSV_AWAKE, LSV_ASLEEP, LSV_NAPPING };

/* What runs when first there is something to do: a thread of its own. */
void lsv_bell_worker(void *(*work)(void *));

/* The next one that was poked, with a reference; NULL: none. */
struct lsv_db *lsv_bell_next(void);
/* Another process woke a database that we lead. */
void lsv_bell_heard(struct lsv_db *db);

/* Somebody heard something for the worker. */
void lsv_bell_ring(void);
/* Changes with every ring: a sleeper waits for another value. */
_Atomic uint32_t *lsv_bell_word(void);
/* Who rings must know how the worker sleeps. */
void lsv_bell_set_sleep(enum lsv_sleep sleep);

void lsv_bell_fork_child(void);

#endif
