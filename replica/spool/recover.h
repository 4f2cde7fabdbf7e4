/* SPDX-License-Identifier: MIT */
#ifndef LSV_RECOVER_H
#define LSV_RECOVER_H

/*
 * The page map after a crash: it stands where it was last marked, and what
 * came since is in the shadow.
 */

#include "replica/spool/pagemap.h"
#include "replica/spool/record.h"

/*
 * Replays the shadow from the map's position to the end of 'end_index', whose
 * last record is 'end'; indexes may have begun in between.
 * 0: the map is at 'end' and its sum is the record's page hash.  -EBADMSG: it
 * is not, or cannot be brought there: the caller rebuilds it from the
 * database.  Marks nothing.
 */
int lsv_recover_pagemap(const char *gen_dir, uint64_t generation,
                        struct lsv_pagemap *map, const struct lsv_record *end,
                        uint32_t end_index);

#endif
