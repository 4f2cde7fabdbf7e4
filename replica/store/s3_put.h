/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_PUT_H
#define LSV_S3_PUT_H

/* An object into a bucket, never onto another one. */

#include "replica/store/s3_request.h"

int lsv_s3_put(struct lsv_s3 *s3, const char *name, struct lsv_reader *body,
               int64_t time_ns, enum lsv_put_mode mode);

/* What an object is told when it is put: "name: value" up to NULL. */
#define LSV_S3_HEADERS_MAX 8
struct lsv_s3_headers {
	char *at[LSV_S3_HEADERS_MAX];
	size_t n;
};

/* Its time, encryption, class of storage. */
int lsv_s3_object_headers(const struct lsv_s3 *s3, int64_t time_ns,
                          struct lsv_s3_headers *headers);
int lsv_s3_add_header(struct lsv_s3_headers *headers, char *header);
void lsv_s3_headers_free(struct lsv_s3_headers *headers);
#define auto_headers __attribute__((cleanup(lsv_s3_headers_free)))

/* 1: there is an object of that name, 0: there is none. */
int lsv_s3_is_there(struct lsv_s3 *s3, const char *name);

/* An object is there: 0 when it has the bytes of 'first' and then of 'rest'
 * (NULL: no more), else -EEXIST. */
int lsv_s3_compare(struct lsv_s3 *s3, const char *name,
                   const struct lsv_buf *first, struct lsv_reader *rest);

#endif
