/* SPDX-License-Identifier: MIT */
#ifndef LSV_SEGMENT_H
#define LSV_SEGMENT_H

/*
 * A segment: commits of one index, from one position to another, compressed
 * as one object with its commit table.  It begins and ends at a commit, so
 * that any prefix of a generation's segments is a database.  The segment at
 * offset 0 begins with the WAL's header.
 */

#include "replica/format/codec.h"
#include "replica/format/table.h"
#include "replica/wal/frame.h"

#include <stdbool.h>

/* The object as a reader: 'wal' gives the shadow's bytes from table->first to
 * the end of its last commit.  Both are borrowed until the reader's close. */
int lsv_segment_encode(enum lsv_codec codec, struct lsv_reader *wal,
                       const struct lsv_table *table, struct lsv_reader **out);

/* Follows the chain of one index through its segments, in order.  All zeros
 * at the index's offset 0; the header then fills it in. */
struct lsv_chain {
	uint32_t page_size; /* 0: the header comes first */
	bool big_endian;
	uint32_t salt[2];
	uint32_t checksum[2];
	uint64_t offset; /* of the next byte */
};

/* Called for each frame that verified, in order; 'end' is the offset behind
 * it.  A negative return ends the decoding with it. */
typedef int lsv_frame_fn(void *arg, const struct lsv_frame *frame,
                         const void *page, uint64_t end);

/*
 * A writer for the plain bytes of a segment that continues 'chain' (borrowed,
 * advanced): each frame is verified and handed to 'each' (may be NULL).  A
 * write returns -EBADMSG where the chain breaks.  The same decoder serves our
 * segments and stock's (real salts, either byte order).
 */
int lsv_segment_decode(struct lsv_chain *chain, lsv_frame_fn *each, void *arg,
                       struct lsv_writer **out);
/* -EBADMSG: the bytes end within the header or a frame. */
int lsv_segment_decode_end(struct lsv_writer *decoder);

#endif
