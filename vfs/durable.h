/* SPDX-License-Identifier: MIT */
#ifndef LSV_DURABLE_H
#define LSV_DURABLE_H

/* I4: the replica is never ahead of durable local state. */

#include "vfs/db.h"

/* Before a put: the WAL is synced, and the database file when resets of the
 * WAL were not.  -EIO, -ESTALE: cannot be, the generation was ended; -EAGAIN:
 * not now. */
int lsv_make_durable(struct lsv_db *db);

#endif
