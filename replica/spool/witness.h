/* SPDX-License-Identifier: MIT */
#ifndef LSV_WITNESS_H
#define LSV_WITNESS_H

/*
 * Resets of SQLite's WAL that one of us saw, in the shared page: the
 * incarnation 'from', whole when its last commit ended at 'frame', was
 * followed by the incarnation 'to'.  Written under SQLite's WRITE, so by one
 * process at a time; equality of both salts identifies an incarnation.
 */

#include "replica/spool/coord.h"

/* What followed a reset without a commit in between is the same reset. */
void lsv_witness_reset(struct lsv_coord_page *page, const uint32_t from[2],
                       uint32_t frame, const uint32_t to[2]);

/* True: (salt, frame) lies in the incarnation 'live', or was witnessed to be
 * followed by it; *is_new says which. */
bool lsv_witness_follows(const struct lsv_coord_page *page,
                         const uint32_t salt[2], uint32_t frame,
                         const struct lsv_shm *live, bool *is_new);

#endif
