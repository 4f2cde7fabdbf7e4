/* SPDX-License-Identifier: MIT */
#ifndef LSV_LOST_H
#define LSV_LOST_H

/*
 * The local folder was removed, or another one put in its place, while
 * processes have the database open.  Each of them finds that out when it next
 * looks, and goes on in the folder that is there then: with a new generation,
 * for what witnessed the old one is gone (I3).
 */

#include "vfs/db.h"

/* The worker's, before it looks at the database.  True: it is so; then this
 * look is over, and 'due_ns' says when the next one is. */
bool lsv_lost_look(struct lsv_db *db, int64_t now_ns);

#endif
