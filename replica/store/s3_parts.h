/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_PARTS_H
#define LSV_S3_PARTS_H

/*
 * The parts of one large object on their way.  Where the replica's concurrency
 * allows, several at once: each in a thread of its own, over a connection of
 * its own, from a copy of its bytes.
 */

#include "replica/store/s3_request.h"

struct lsv_s3_parts;

/* Of an upload that the store has begun; 'name' and 'id' are borrowed.  The
 * caller closes it. */
int lsv_s3_parts_open(struct lsv_s3 *s3, const char *name, const char *id,
                      struct lsv_s3_parts **out);

/* The next part.  It may still be on its way when this returns; an error may
 * be an earlier one's. */
int lsv_s3_parts_put(struct lsv_s3_parts *parts, const void *bytes, size_t n);

/* Waits until none is on its way; what came of them. */
int lsv_s3_parts_end(struct lsv_s3_parts *parts);

/* How many were put; and, after the end, the ETag of each, from 0. */
size_t lsv_s3_parts_count(const struct lsv_s3_parts *parts);
const char *lsv_s3_parts_etag(const struct lsv_s3_parts *parts, size_t i);

/* After the end; NULL is fine. */
void lsv_s3_parts_close(struct lsv_s3_parts *parts);

LSV_AUTO(s3_parts, struct lsv_s3_parts, lsv_s3_parts_close)
#define auto_s3_parts __attribute__((cleanup(lsv_auto_s3_parts)))

#endif
