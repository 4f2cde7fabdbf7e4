/* SPDX-License-Identifier: MIT */
#ifndef LSV_LOOK_H
#define LSV_LOOK_H

/* One look of the worker at one database: what is new, what is due. */

#include "vfs/db.h"

/* Copies what was committed, runs what may be run here, queues what may take
 * long.  Sets db->due_ns (INT64_MAX: nothing to come) and db->naps (look
 * again in a moment: it is busy). */
void lsv_look(struct lsv_db *db, int64_t now_ns);

/* Cheap: commits or tickets that the last look did not see. */
bool lsv_look_has_news(struct lsv_db *db);

/* The replica lacks something that this process would bring there. */
bool lsv_look_is_pending(struct lsv_db *db);

/* At the end of the process: it does not lead any more.  True: it did, and
 * somebody committed who had seen it lead, and may have gone. */
bool lsv_look_leave(struct lsv_db *db);

#endif
