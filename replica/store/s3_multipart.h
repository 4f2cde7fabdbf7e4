/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_MULTIPART_H
#define LSV_S3_MULTIPART_H

/* A large object in parts. */

#include "replica/store/s3_put.h"

/* What S3 takes: up to 10 000 parts, each but the last of 5 MiB or more. */
#define LSV_S3_PARTS_MAX 10000
#define LSV_S3_PART_SIZE ((uint64_t)8 << 20)

/* How many bytes the first part of an object has: of one of 'size' bytes
 * (-1: not known), where 'wanted' bytes were asked for (0: none were). */
uint64_t lsv_s3_part_size(int64_t size, uint64_t wanted);

/* The object is what is in 'part', then the rest of 'body'.  'is_guarded': no
 * other object of that name may have come up meanwhile. */
int lsv_s3_multipart(struct lsv_s3 *s3, const char *name, struct lsv_buf *part,
                     struct lsv_reader *body, int64_t time_ns, bool is_guarded);

/* Appends up to n bytes of 'body'; fewer: it is at its end. */
int lsv_s3_fill(struct lsv_buf *part, struct lsv_reader *body, size_t n);

#endif
