/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_LIST_H
#define LSV_S3_LIST_H

/* What a bucket holds below a prefix, a page of 1000 a request. */

#include "replica/store/s3_request.h"

int lsv_s3_list(struct lsv_s3 *s3, const char *prefix, lsv_list_fn *each,
                void *arg);

#endif
