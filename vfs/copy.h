/* SPDX-License-Identifier: MIT */
#ifndef LSV_COPY_H
#define LSV_COPY_H

/* From SQLite's WAL into the shadow: every commit up to the live head. */

#include "vfs/db.h"

/*
 * Under the shadow mutex, in role LIVE.  0: the shadow holds all that was
 * committed when it was called.  -EAGAIN: more than 'budget' bytes are
 * missing, or the head is torn; nothing is wrong.  Anything else: the
 * generation was ended.
 */
int lsv_copy_commits(struct lsv_db *db, uint64_t budget);

/* As above, up to a head that the caller knows to be final (an exclusive
 * connection is about to reset without a gate). */
int lsv_copy_commits_to(struct lsv_db *db, const struct lsv_shm *head);

/* Publishes where the shadow's end stands in SQLite's WAL. */
void lsv_copy_publish(struct lsv_db *db, const uint32_t salt[2],
                      uint32_t frame);

#endif
