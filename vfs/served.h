/* SPDX-License-Identifier: MIT */
#ifndef LSV_SERVED_H
#define LSV_SERVED_H

/*
 * Whoever leads ships to the replicas of its own configuration.  A process that
 * follows it may be configured for another one: that gets nothing from either,
 * which a person should know.
 */

#include "vfs/db.h"

/* Whoever leads, or last led, ships to all replicas of this process. */
bool lsv_served_all(struct lsv_db *db);
/* To which of them not: said once each, until it is. */
void lsv_served_tell(struct lsv_db *db);

#endif
