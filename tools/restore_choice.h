/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_RESTORE_CHOICE_H
#define LSVFS_RESTORE_CHOICE_H

/* Of a database's replicas the one to restore from: that which reaches the
 * target, and of several the one whose commit there is the newest.  One that
 * cannot be read is passed over, with a warning. */

#include "replica/restore/plan.h"
#include "tools/target.h"

struct restore_source {
	struct lsv_client *client;
	struct lsv_catalog catalog;
	struct lsv_plan plan; /* borrows the catalog's items */
	bool is_empty;        /* no replica holds any backup */
};

/* Takes the clients out of the target.  0; -ENOENT: nothing restorable for
 * what is wanted ('out' then has a replica that tells what else there is); or
 * why not.  The caller closes 'out', however it went. */
int restore_choose(struct target *target, const struct lsv_target *wanted,
                   struct restore_source *out);
void restore_source_close(struct restore_source *source);

/* Of a directory without a backup: the first of those in it that hold one, a
 * new string; NULL: none. */
char *restore_found_below(const struct lsv_client *client);

#endif
