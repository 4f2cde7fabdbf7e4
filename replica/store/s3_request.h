/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_REQUEST_H
#define LSV_S3_REQUEST_H

/*
 * One request to a bucket: its URL, its headers, its signature; and what a
 * store corrects is learned and the request made again: region, clock, a
 * session that has expired.
 */

#include "replica/store/client.h"
#include "replica/store/credential.h"
#include "replica/store/http.h"
#include "replica/store/s3_error.h"
#include "replica/store/s3_url.h"
#include "replica/store/sigv4.h"

/* Does it honour "If-None-Match: *"? */
enum lsv_s3_guard {
	LSV_GUARD_UNKNOWN,
	LSV_GUARD_UNSURE, /* asked, in vain */
	LSV_GUARD_IGNORED,
	LSV_GUARD_HONOURED,
};

/* What the clients of one replica know in common. */
struct lsv_s3_common {
	struct lsv_s3_place place;
	struct lsv_credentials *credentials;
	pthread_mutex_t mutex; /* for all below */
	char region[LSV_S3_CODE_SIZE];
	bool is_region_known;
	int64_t skew_ns; /* their clock less ours */
	enum lsv_s3_guard guard;
	bool lacks_batch; /* it deletes one by one only */
	unsigned n_clients;
};

struct lsv_s3 {
	struct lsv_client base;
	struct lsv_s3_common *common;
	struct lsv_http *http;         /* NULL before the first request */
	char why[LSV_CLIENT_WHY_SIZE]; /* the base's */
};

struct lsv_s3_call {
	const char *method;
	const char *name; /* of an object below the prefix; NULL: the bucket */
	struct lsv_query *query;
	size_t n_query;
	const char *const *headers; /* "name: value" up to NULL; or NULL */
	const void *body;           /* NULL: none */
	size_t n_body;
	struct lsv_writer *into;
	unsigned stalled_s; /* 0: as usual */
};

/* 0: the store said yes.  Else in the words of client.h and s3_error.h, with
 * the client's 'why' filled in.  'response' is what it said last. */
int lsv_s3_do(struct lsv_s3 *s3, const struct lsv_s3_call *call,
              struct lsv_http_response *response);

/* Fills in 'why' with what is wrong with 'name' (NULL: with the bucket), and
 * returns 'err'. */
__attribute__((format(printf, 4, 5))) int lsv_s3_failed(
	struct lsv_s3 *s3, int err, const char *name, const char *format, ...);

/* The key of an object, or the prefix of keys; a new string. */
char *lsv_s3_key(const struct lsv_s3 *s3, const char *name);

enum lsv_s3_guard lsv_s3_guard(struct lsv_s3 *s3);
void lsv_s3_set_guard(struct lsv_s3 *s3, enum lsv_s3_guard guard);

#endif
