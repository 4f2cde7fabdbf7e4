/* SPDX-License-Identifier: MIT */
#ifndef LSV_WALK_H
#define LSV_WALK_H

/*
 * A walk over the frames of a shadow, in order, each one verified against the
 * chain before anything is done with its page.
 */

#include "replica/wal/commit.h"
#include "replica/wal/frame.h"

#include <stdint.h>

/* Called for each frame; a negative return ends the walk with it. */
typedef int lsv_replay_fn(void *arg, const struct lsv_frame *frame,
                          const void *page);

struct lsv_walk {
	int fd; /* of the shadow, borrowed */
	uint32_t page_size;
	uint32_t salt[2];
	uint32_t checksum[2]; /* of the frame before 'at' */
	uint64_t at;          /* where the next frame begins */
};

/* Reads the header; the walk stands before the first frame.  -EBADMSG: not
 * the header of this generation's index. */
int lsv_walk_begin(int fd, uint64_t generation, uint32_t index,
                   struct lsv_walk *walk);

/* Moves the walk behind a commit of the same shadow (its base: to the first
 * frame). */
void lsv_walk_resume(struct lsv_walk *walk, const struct lsv_commit *commit);

/* Walks the frames up to 'to'.  -EBADMSG: one does not verify, or 'to' is not
 * the end of one; 'each' (may be NULL) has then seen those before it. */
int lsv_walk_to(struct lsv_walk *walk, uint64_t to, lsv_replay_fn *each,
                void *arg);

#endif
