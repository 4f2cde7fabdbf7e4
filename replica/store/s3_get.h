/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_GET_H
#define LSV_S3_GET_H

/* Bytes of an object out of a bucket. */

#include "replica/store/s3_request.h"

int lsv_s3_get(struct lsv_s3 *s3, const char *name,
               const struct lsv_range *range, struct lsv_writer *into);

#endif
