/* SPDX-License-Identifier: MIT */
#ifndef LSV_ROTATE_H
#define LSV_ROTATE_H

/* The next index begins where the shadow is; this needs nothing from SQLite.
 * All under the shadow's mutex, leading. */

#include "vfs/db.h"

/* An index without a commit stays: a replica has no object of it, and who
 * restores takes that for a gap. */
int lsv_rotate(struct lsv_db *db);

/* At about 100 segments or 64 MiB (design.md section 6), or less when
 * max-local-bytes is small: what replicas have goes index by index. */
int lsv_rotate_if_due(struct lsv_db *db);

#endif
