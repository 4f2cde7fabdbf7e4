/* SPDX-License-Identifier: MIT */
#ifndef LSV_PARENT_H
#define LSV_PARENT_H

/*
 * A generation says in its lineage.json where the one before it ended.  For a
 * moment between the last commit of one and the beginning of the next this
 * tells whether the commit before that moment is still there.
 *
 *	├── 1, as it is there ──┤  (lost)  ┊ "parent"   ├── 2 ──
 *	                             ▲ target
 */

#include "replica/restore/bounds.h"

/* The last commit of 'bounds' is the last one before 'time_ns', as far as
 * 'next', which begins behind it, can tell.  -EBADMSG: it is not; an error of
 * the store: cannot be told; both are said. */
int lsv_parent_check(struct lsv_client *client, const struct lsv_bounds *bounds,
                     const struct lsv_generation *next, int64_t time_ns);

#endif
