/* SPDX-License-Identifier: MIT */
#ifndef LSV_ADOPT_H
#define LSV_ADOPT_H

/*
 * A segment that is on the replica already: put by an earlier leader, whose
 * acknowledgement was lost with it (design.md section 8).
 */

#include "replica/ship/upload.h"

/* Whether the object at (index, from) holds commits of our own shadow, by its
 * commit table: 0, and 'last' is the commit where it ends.  -EEXIST: it is
 * somebody else's, or ends behind what the shadow has. */
int lsv_adopt_segment(const struct lsv_upload *upload,
                      struct lsv_client *client, uint32_t index, uint64_t from,
                      struct lsv_commit *last);

#endif
