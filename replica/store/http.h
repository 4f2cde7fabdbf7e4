/* SPDX-License-Identifier: MIT */
#ifndef LSV_HTTP_H
#define LSV_HTTP_H

/*
 * One request at a time, over connections that are kept for the next one.
 * The only file that knows libcurl.
 *
 *	auto_http struct lsv_http *http = NULL;
 *	auto_response struct lsv_http_response response = {0};
 *	struct lsv_http_request request = {.method = "GET", .url = url};
 *
 *	r = lsv_http_open(NULL, &http);
 *	if (r == 0)
 *		r = lsv_http_do(http, &request, &response);
 *	if (r == 0 && response.status == 200)
 *		... response.body
 *
 * No redirect is followed, no signal is used, nothing is written to stdout
 * or stderr.  Proxies are those of http_proxy, https_proxy, all_proxy and
 * no_proxy.
 */

#include "replica/base/stream.h"

#include <stdbool.h>

/* All borrowed for lsv_http_open(); 0 and NULL: the default. */
struct lsv_http_options {
	/* Certificates of authorities, PEM.  NULL: $AWS_CA_BUNDLE, then
	 * $SSL_CERT_FILE, then the system's. */
	const char *ca_file;
	bool skip_verify;        /* whoever answers is believed */
	bool is_direct;          /* never through a proxy */
	unsigned connect_ms;     /* until it is connected: 10 s */
	unsigned stalled_s;      /* without a byte either way: 30 s */
	unsigned total_ms;       /* of a request: 60 s, and ... */
	unsigned bytes_a_second; /* ... a second more for so many: 16 KiB */
};

struct lsv_http_request {
	const char *method;         /* "GET", "HEAD", "PUT", "POST", "DELETE" */
	const char *url;            /* as it goes over the wire */
	const char *const *headers; /* "name: value" up to NULL; or NULL */
	struct lsv_reader *body;    /* its size is known; NULL: none */
	/* Where the body of an answer goes whose status is 2xx; everything in
	 * 'response' but the body stands when the first byte comes.  NULL, or
	 * another status: into response->body. */
	struct lsv_writer *into;
	unsigned stalled_s; /* for this one; 0: as opened */
};

/* Of a body that nobody wanted, so much is kept (no more of a 2xx answer
 * either: a longer one is -EPROTO). */
#define LSV_HTTP_BODY_MAX ((size_t)4 << 20)
#define LSV_HTTP_TEXT_SIZE 128
#define LSV_HTTP_WHY_SIZE 400

#define LSV_HTTP_OK 200

/* Headers as they came, "" where there was none. */
struct lsv_http_response {
	int status;
	int64_t length;                /* of the answer's body; -1: not said */
	int64_t date_ns;               /* the server's clock; 0: not said */
	unsigned retry_s;              /* Retry-After; 0: not said */
	char etag[LSV_HTTP_TEXT_SIZE]; /* with its quotation marks */
	char region[LSV_HTTP_TEXT_SIZE]; /* x-amz-bucket-region */
	char range[LSV_HTTP_TEXT_SIZE];  /* Content-Range */
	char last_modified[LSV_HTTP_TEXT_SIZE];
	char request_id[LSV_HTTP_TEXT_SIZE]; /* x-amz-request-id */
	struct lsv_buf body;
	/* Why there was no answer: cause and remedy, for a person. */
	char why[LSV_HTTP_WHY_SIZE];
};

struct lsv_http;

/* The caller closes it.  One thread at a time uses it. */
int lsv_http_open(const struct lsv_http_options *options,
                  struct lsv_http **out);
void lsv_http_close(struct lsv_http *http); /* NULL is fine */

/*
 * 0: there is an answer, whatever its status.  Else there is none, or it is
 * cut: -EAGAIN worth trying again (not connected, stalled, cut, ...), -EPROTO
 * not HTTP or no certificate that we trust, -EINVAL no URL, -ECANCELED
 * stopped; or what body or 'into' failed with.  'response' is filled anew,
 * also then; the caller frees it with lsv_http_response_free().
 */
int lsv_http_do(struct lsv_http *http, const struct lsv_http_request *request,
                struct lsv_http_response *response);

void lsv_http_response_free(struct lsv_http_response *response);

/* From any thread: what is on the way ends with -ECANCELED at once, and so
 * does all that comes later. */
void lsv_http_stop(struct lsv_http *http);

/* The same for every http of the process, which is about to end: waits, at
 * most timeout_ms, until nobody is inside the libraries any more, whose own
 * cleaning up comes next. */
void lsv_http_stop_all(unsigned timeout_ms);

LSV_AUTO(http, struct lsv_http, lsv_http_close)
#define auto_http __attribute__((cleanup(lsv_auto_http)))
#define auto_response __attribute__((cleanup(lsv_http_response_free)))

#endif
