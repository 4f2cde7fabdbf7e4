/* SPDX-License-Identifier: MIT */
#ifndef LSV_SIGV4_H
#define LSV_SIGV4_H

/*
 * AWS's Signature Version 4 of one request, as a header.  Pure: no clock, no
 * network.  What is signed is what goes over the wire, byte for byte.
 */

#include "replica/base/stream.h"

#include <stdbool.h>

struct lsv_sigv4 {
	const char *method;
	const char *path;  /* percent-encoded as S3 wants it, from its '/' on */
	const char *query; /* the same, by lsv_query_text(); "" none */
	/* "name: value" up to NULL, names in lower case; all are signed.
	 * Among them are host and x-amz-date. */
	const char *const *headers;
	const char *body_sha256; /* in hex */
	const char *region;
	const char *service; /* "s3", "sts" */
};

/* "authorization: AWS4-HMAC-SHA256 ...", a new string.  -EINVAL: a header is
 * missing or is none. */
int lsv_sigv4_sign(const struct lsv_sigv4 *request, const char *key_id,
                   const char *secret, char **header);

/* "20150830T123600Z" and the final zero. */
#define LSV_SIGV4_DATE_SIZE 17
void lsv_sigv4_date(int64_t now_ns, char text[LSV_SIGV4_DATE_SIZE]);

/* Appends 'text' percent-encoded: all but letters, digits and -._~ (and '/'
 * where it is kept). */
int lsv_uri_encode(struct lsv_buf *out, const char *text, bool keep_slash);

/* The parameters of a request, in any order; value NULL: "". */
struct lsv_query {
	const char *name;
	const char *value;
};

/* "name=value&name=value", encoded and in the order that is signed; a new
 * string.  Sorts 'query'. */
int lsv_query_text(struct lsv_query *query, size_t n, char **text);

#endif
