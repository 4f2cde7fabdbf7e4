/* SPDX-License-Identifier: MIT */
#ifndef LSV_ASK_H
#define LSV_ASK_H

/*
 * What a program asks of a database that it replicates: by PRAGMA (pragma.c),
 * or by the functions of lsvfs.h.  In the application's threads.
 */

#include "vfs/db.h"
#include "vfs/status.h"

/* Every commit made until now is on every replica.  timeout_ns <0: no limit.
 * -EINVAL: it is not in WAL mode; -ETIMEDOUT, -EPERM (a replica is another
 * database's), -EIO. */
int lsv_ask_sync(struct lsv_db *db, int64_t timeout_ns);

/* The number of the last commit.  -ENODATA: there is no generation yet;
 * -EAGAIN: who leads did not look at it in time. */
int lsv_ask_txid(struct lsv_db *db, uint64_t *txid);

/* What can go into the database without waiting for anybody: how many frames
 * of the WAL are there then, of how many.  -EBUSY: somebody else is at it;
 * -EIO. */
int lsv_ask_checkpoint(struct lsv_db *db, uint32_t *n_done, uint32_t *n_all);

/* A snapshot as soon as something that was committed since the last one is on a
 * replica.  -EBUSY: another process leads. */
int lsv_ask_snapshot(struct lsv_db *db);

/* The replicas' URLs without their queries, one a line; and one JSON object.
 * New strings; NULL: out of memory. */
char *lsv_ask_replicas(struct lsv_db *db);
char *lsv_ask_status(struct lsv_db *db);

/* The same as it is kept. */
void lsv_ask_status_of(struct lsv_db *db, struct lsv_status *status);

#endif
