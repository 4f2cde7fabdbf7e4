/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_HOST_H
#define LSV_S3_HOST_H

/* What the host of an s3:// URL tells: each provider has its form. */

#include <stdbool.h>

struct lsv_s3_host {
	char *bucket;   /* "" none */
	char *region;   /* NULL: not said */
	char *endpoint; /* "https://..."; NULL: AWS's own */
	bool is_path_style;
};

/* "bucket", "bucket.localhost:9000", "bucket.s3.eu-west-3.amazonaws.com"...
 * The caller frees it.  -ENOMEM. */
int lsv_s3_host_parse(const char *text, struct lsv_s3_host *host);
void lsv_s3_host_free(struct lsv_s3_host *host);

/* The endpoint with a scheme: "http://" on this machine and in private
 * networks, "https://" elsewhere; a new string. */
char *lsv_s3_endpoint(const char *text);

#endif
