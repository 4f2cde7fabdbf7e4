/* SPDX-License-Identifier: MIT */
#ifndef LSV_FETCH_H
#define LSV_FETCH_H

/*
 * Objects of a plan, fetched, decompressed and proven as far as each can be
 * alone: content checksum, its own table, its own stretch of the chain.
 */

#include "replica/restore/links.h"
#include "replica/restore/pages.h"
#include "replica/restore/plan.h"

/* Told of compressed bytes as they come, by any thread; not 0 ends the fetch
 * with it. */
typedef int lsv_fetched_fn(void *arg, uint64_t n_bytes);

struct lsv_fetch {
	const struct lsv_plan *plan;
	uint32_t page_size; /* of all segments */
	bool big_endian;    /* how their checksums read words */
	/* How many pieces of one large object may come at a time, of the
	 * snapshot and of each segment; 0 or 1: it comes as a whole. */
	unsigned n_snapshot_pieces;
	unsigned n_segment_pieces;
	lsv_fetched_fn *fetched;
	void *arg;
};

/* The page size and byte order, from the WAL header of the first segment. */
int lsv_fetch_shape(struct lsv_fetch *fetch, struct lsv_client *client);

/* The frames of a segment into 'pages'; what must fit to its neighbours into
 * 'link'.  -EBADMSG: damaged, said. */
int lsv_fetch_segment(const struct lsv_fetch *fetch, struct lsv_client *client,
                      const struct lsv_item *item, struct lsv_pages *pages,
                      struct lsv_link *link);

/* The snapshot's bytes into 'plain'; an error of 'plain' other than -EBADMSG
 * is passed on. */
int lsv_fetch_snapshot(const struct lsv_fetch *fetch, struct lsv_client *client,
                       struct lsv_writer *plain);

#endif
