/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_DELETE_H
#define LSV_S3_DELETE_H

/* Objects removed: one, or many a request where the store can do that. */

#include "replica/store/s3_request.h"

int lsv_s3_delete(struct lsv_s3 *s3, const char *name);

/* In any order; when it fails, some may be gone. */
int lsv_s3_delete_some(struct lsv_s3 *s3, const char *const *names, size_t n);

#endif
