/* SPDX-License-Identifier: MIT */
#ifndef LSV_HAUL_H
#define LSV_HAUL_H

/*
 * One object after the other from the shadow onto one replica, in the order of
 * I9, and the books that are kept of it: snapshot, lineage and owner, segments,
 * the next index.
 */

#include "replica/ship/upload.h"
#include "vfs/db.h"

/* What one run of a replica's job works towards. */
struct lsv_haul {
	struct lsv_db *db;
	struct lsv_replica *replica;
	struct lsv_upload upload;
	struct lsv_pos end; /* of the shadow, or of its whole indexes */
	uint64_t ticket;    /* of all that is in it; 0: none */
	struct lsv_pos at;  /* where the replica is */
	char *gen_dir;      /* ours, as the next */
	char *catalogue;    /* its path */
	uint32_t page_size;
};

/* Whether the generation is still what this process leads. */
bool lsv_haul_is_current(const struct lsv_haul *haul);

/* One object, or one step on.  1: more to do; 0: the replica is at the end.
 * -EAGAIN: not now; -EEXIST: objects there are not ours; -ENOLINK: the replica
 * lost what it had; -ENODATA: the shadow that it needs is gone; -EBADMSG: the
 * local folder is damaged. */
int lsv_haul_step(struct lsv_haul *haul);

#endif
