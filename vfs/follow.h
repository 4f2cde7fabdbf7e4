/* SPDX-License-Identifier: MIT */
#ifndef LSV_FOLLOW_H
#define LSV_FOLLOW_H

/*
 * Another process leads.  It does the work; who committed sees to it that it
 * does (I6), and takes over from one that is stopped (design.md section 5).
 */

#include "vfs/db.h"

/* One look, by the worker; before it the last ticket drawn was 'ticket', and
 * db->dirty 'dirty'. */
void lsv_follow(struct lsv_db *db, uint64_t ticket, uint64_t dirty,
                int64_t now_ns);

/* All that was committed before the look is shipped.  A commit that came while
 * we looked stays: an exit waits for it. */
void lsv_follow_forget(struct lsv_db *db, uint64_t dirty);

#endif
