/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_ERROR_H
#define LSV_S3_ERROR_H

/* What a store says when it says no. */

#include "replica/store/http.h"

#define LSV_S3_CODE_SIZE 64

struct lsv_s3_error {
	int status;
	char code[LSV_S3_CODE_SIZE];   /* "AccessDenied"; "" not said */
	char region[LSV_S3_CODE_SIZE]; /* the right one; "" not said */
	char message[160];
};

/* Of any answer that is no success, and of those that say 200 and mean
 * otherwise. */
void lsv_s3_error_read(const struct lsv_http_response *response,
                       struct lsv_s3_error *error);

/* In the words of client.h; besides: -ENXIO no such bucket, -ERANGE nothing
 * in that range, -EOPNOTSUPP it cannot do that. */
int lsv_s3_error_meaning(const struct lsv_s3_error *error);

/* "403 AccessDenied, Access Denied: these keys may not do that...". */
void lsv_s3_error_text(const struct lsv_s3_error *error, char *text, size_t n);

#endif
