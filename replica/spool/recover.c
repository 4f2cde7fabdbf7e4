/* SPDX-License-Identifier: MIT */
#include "replica/spool/recover.h"

#include "replica/spool/shadow.h"
#include "replica/wal/pagehash.h"

#include <errno.h>

static int replay_frame(void *arg, const struct lsv_frame *frame,
                        const void *page)
{
	struct lsv_pagemap *map = arg;
	size_t page_size = lsv_pagemap_page_size(map);
	int r = lsv_pagemap_set(map, frame->page_no,
	                        lsv_page_hash(frame->page_no, page, page_size));

	if (r < 0 || frame->db_pages == 0)
		return r;
	lsv_pagemap_shrink(map, frame->db_pages);
	lsv_pagemap_commit(map);
	return 0;
}

/* Replays indexes that have ended, from a position on; *at becomes the
 * beginning of 'end_index'. */
static int replay_ended(const char *gen_dir, uint64_t generation,
                        struct lsv_pagemap *map, struct lsv_pos *at,
                        uint32_t end_index)
{
	for (; at->index < end_index; at->index++, at->offset = 0) {
		struct lsv_record last;
		int r = lsv_shadow_last(gen_dir, at->index, &last);

		if (r == 0)
			r = lsv_shadow_replay(gen_dir, generation, at->index,
			                      at->offset, last.commit.end,
			                      replay_frame, map);
		if (r < 0)
			return r;
	}
	return 0;
}

int lsv_recover_pagemap(const char *gen_dir, uint64_t generation,
                        struct lsv_pagemap *map, const struct lsv_record *end,
                        uint32_t end_index)
{
	const struct lsv_commit *commit = &end->commit;
	struct lsv_pos at = {0};
	int r;

	if (!lsv_pagemap_position(map, &at.index, &at.offset) ||
	    at.index > end_index)
		return -EBADMSG;
	r = replay_ended(gen_dir, generation, map, &at, end_index);
	if (r == 0)
		r = lsv_shadow_replay(gen_dir, generation, end_index, at.offset,
		                      commit->end, replay_frame, map);
	/* An index that is gone, a position that was cut off since. */
	if (r == -ENOENT)
		return -EBADMSG;
	if (r < 0)
		return r;
	return lsv_pagemap_sum(map) == commit->page_hash ? 0 : -EBADMSG;
}
