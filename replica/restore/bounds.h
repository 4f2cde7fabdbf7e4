/* SPDX-License-Identifier: MIT */
#ifndef LSV_BOUNDS_H
#define LSV_BOUNDS_H

/* What of a generation can be restored: from its first snapshot's commit to
 * its last commit. */

#include "replica/store/catalog.h"
#include "replica/wal/commit.h"

struct lsv_bounds {
	const struct lsv_generation *generation;
	bool is_ours;      /* commits have txids and times of their own */
	bool has_snapshot; /* else nothing can be restored */
	struct lsv_commit first;
	struct lsv_commit last; /* of stock's only the time is known */
};

/* Reads at most three tails.  An object whose table cannot be read counts
 * with the time that the store gives it: a restore that needs it will say
 * what is wrong.  Fails only when the replica cannot be read. */
int lsv_bounds_read(struct lsv_client *client,
                    const struct lsv_generation *generation,
                    struct lsv_bounds *bounds);

/* One line for a person: "0123456789abcdef: txid 1 (time) to 9 (time)". */
#define LSV_BOUNDS_TEXT_SIZE 160
void lsv_bounds_format(const struct lsv_bounds *bounds,
                       char text[LSV_BOUNDS_TEXT_SIZE]);

#endif
