/* SPDX-License-Identifier: MIT */

/*
 * How a name is kept from being taken twice:
 *
 *	HONOURED   If-None-Match: *      the store refuses, 412
 *	IGNORED    HEAD before           all that is left
 *	UNSURE     both                  the store does not tell
 *	UNKNOWN    the store is asked: an object that is always the same is put
 *	           with the header, twice if it was not there.  A store that
 *	           takes it again ignores the header
 *
 * Not by the object that is wanted: it may be large, and a process whose
 * segments all are would never know.
 */

#include "replica/store/s3_put.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/format/layout.h"
#include "replica/store/digest.h"
#include "replica/store/s3_multipart.h"

#include <errno.h>
#include <string.h>

/* For people who wonder; the same for ever. */
static const char guard_text[] =
	"By this object lsvfs finds out whether the store honours "
	"If-None-Match.\n";

void lsv_s3_headers_free(struct lsv_s3_headers *headers)
{
	for (size_t i = 0; i < headers->n; i++)
		free(headers->at[i]);
	headers->n = 0;
}

int lsv_s3_add_header(struct lsv_s3_headers *headers, char *header)
{
	if (!header || headers->n == LSV_S3_HEADERS_MAX - 1) {
		free(header);
		return -ENOMEM;
	}
	headers->at[headers->n++] = header;
	headers->at[headers->n] = NULL;
	return 0;
}

int lsv_s3_object_headers(const struct lsv_s3 *s3, int64_t time_ns,
                          struct lsv_s3_headers *headers)
{
	const struct lsv_s3_place *place = &s3->common->place;
	char time[LSV_TIME_TEXT_SIZE];
	int r;

	lsv_time_format(time_ns, time);
	r = lsv_s3_add_header(
		headers,
		lsv_sprintf("x-amz-meta-litestream-timestamp: %s", time));
	if (r == 0 && place->sse)
		r = lsv_s3_add_header(
			headers, lsv_sprintf("x-amz-server-side-encryption: %s",
		                             place->sse));
	if (r == 0 && place->sse_kms_key_id)
		r = lsv_s3_add_header(
			headers,
			lsv_sprintf("x-amz-server-side-encryption-aws-kms-key-"
		                    "id: %s",
		                    place->sse_kms_key_id));
	if (r == 0 && place->storage_class)
		r = lsv_s3_add_header(headers,
		                      lsv_sprintf("x-amz-storage-class: %s",
		                                  place->storage_class));
	return r;
}

int lsv_s3_is_there(struct lsv_s3 *s3, const char *name)
{
	auto_response struct lsv_http_response response = {0};
	const struct lsv_s3_call call = {.method = "HEAD", .name = name};
	int r = lsv_s3_do(s3, &call, &response);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

/* Compares what goes by. */
struct comparison {
	struct lsv_writer base;
	const struct lsv_buf *first;
	struct lsv_reader *rest;
	size_t at; /* in 'first' */
};

static int compare_some(struct lsv_writer *writer, const void *bytes, size_t n)
{
	struct comparison *c = (struct comparison *)writer;
	size_t left = c->first->n - c->at;
	size_t n_first = n < left ? n : left, n_rest = n - n_first;
	auto_free uint8_t *buf = NULL;
	ssize_t got;

	if (n_first && memcmp(c->first->data + c->at, bytes, n_first) != 0)
		return -EEXIST;
	c->at += n_first;
	if (n_rest == 0)
		return 0;
	if (!c->rest)
		return -EEXIST;
	buf = malloc(n_rest);
	if (!buf)
		return -ENOMEM;
	got = lsv_read_full(c->rest, buf, n_rest);
	if (got < 0)
		return (int)got;
	return (size_t)got == n_rest &&
	                       memcmp(buf, (const char *)bytes + n_first,
	                              n_rest) == 0
	               ? 0
	               : -EEXIST;
}

/* Nothing of ours may be left over. */
static int end_comparison(struct comparison *c)
{
	char byte;
	ssize_t got = 0;

	if (c->at < c->first->n)
		return -EEXIST;
	if (c->rest)
		got = c->rest->read(c->rest, &byte, 1);
	return got == 0 ? 0 : got < 0 ? (int)got : -EEXIST;
}

int lsv_s3_compare(struct lsv_s3 *s3, const char *name,
                   const struct lsv_buf *first, struct lsv_reader *rest)
{
	auto_response struct lsv_http_response response = {0};
	struct comparison comparison = {
		.base = {.write = compare_some},
		.first = first,
		.rest = rest,
	};
	const struct lsv_s3_call call = {
		.method = "GET",
		.name = name,
		.into = &comparison.base,
	};
	int r = lsv_s3_do(s3, &call, &response);

	if (r == 0)
		r = end_comparison(&comparison);
	if (r == -ENOENT) /* gone again, or not visible yet */
		return -EAGAIN;
	if (r == -EEXIST)
		(void)lsv_s3_failed(s3, r, name,
		                    "another object has that name");
	return r;
}

static int send(struct lsv_s3 *s3, const char *name, const struct lsv_buf *body,
                int64_t time_ns, bool is_guarded)
{
	auto_response struct lsv_http_response response = {0};
	auto_headers struct lsv_s3_headers headers = {0};
	struct lsv_s3_call call = {
		.method = "PUT",
		.name = name,
		.headers = (const char *const *)headers.at,
		.body = body->n ? (const void *)body->data : "",
		.n_body = body->n,
	};
	char md5[LSV_MD5_TEXT_SIZE];
	int r = lsv_s3_object_headers(s3, time_ns, &headers);

	if (r == 0 && lsv_md5_text(call.body, call.n_body, md5) == 0)
		r = lsv_s3_add_header(&headers,
		                      lsv_sprintf("content-md5: %s", md5));
	if (r == 0 && is_guarded)
		r = lsv_s3_add_header(&headers, strdup("if-none-match: *"));
	return r < 0 ? r : lsv_s3_do(s3, &call, &response);
}

/* What the store says to the same once more. */
static int probe(struct lsv_s3 *s3, int64_t time_ns)
{
	auto_buf struct lsv_buf body = {0};
	int r = lsv_buf_append(&body, guard_text, sizeof guard_text - 1);

	if (r == 0)
		r = send(s3, LSV_LAYOUT_GUARD, &body, time_ns, true);
	return r == 0 ? send(s3, LSV_LAYOUT_GUARD, &body, time_ns, true) : r;
}

/* Once.  A store that refuses for another reason than the header, this object
 * or all of them, leaves it open. */
static int find_guard(struct lsv_s3 *s3, int64_t time_ns)
{
	int r;

	if (lsv_s3_guard(s3) != LSV_GUARD_UNKNOWN)
		return 0;
	r = probe(s3, time_ns);
	if (r == -EEXIST)
		lsv_s3_set_guard(s3, LSV_GUARD_HONOURED);
	else if (r == 0 || r == -EOPNOTSUPP)
		lsv_s3_set_guard(s3, LSV_GUARD_IGNORED);
	else if (r != -EACCES && r != -EPROTO)
		return r;
	return 0;
}

static int put_guarded(struct lsv_s3 *s3, const char *name,
                       const struct lsv_buf *body, int64_t time_ns)
{
	bool is_known = lsv_s3_guard(s3) == LSV_GUARD_HONOURED;
	int r = send(s3, name, body, time_ns, true);

	if (r == -EOPNOTSUPP || (r == -EPROTO && !is_known)) {
		lsv_s3_set_guard(s3, LSV_GUARD_IGNORED);
		return send(s3, name, body, time_ns, false);
	}
	/* It takes objects, but not the one that would tell. */
	if (r == 0 && !is_known)
		lsv_s3_set_guard(s3, LSV_GUARD_UNSURE);
	return r;
}

/* An object that fits into one request. */
static int put_new(struct lsv_s3 *s3, const char *name,
                   const struct lsv_buf *body, int64_t time_ns)
{
	enum lsv_s3_guard guard = lsv_s3_guard(s3);
	int r = guard == LSV_GUARD_HONOURED ? 0 : lsv_s3_is_there(s3, name);

	if (r < 0)
		return r;
	if (r == 1)
		return lsv_s3_compare(s3, name, body, NULL);
	if (guard == LSV_GUARD_IGNORED)
		return send(s3, name, body, time_ns, false);
	r = put_guarded(s3, name, body, time_ns);
	return r == -EEXIST ? lsv_s3_compare(s3, name, body, NULL) : r;
}

static int put_parts(struct lsv_s3 *s3, const char *name, struct lsv_buf *part,
                     struct lsv_reader *body, int64_t time_ns,
                     enum lsv_put_mode mode)
{
	int r = 0;

	/* It costs little beside the object, and what is there already need
	 * not be sent. */
	if (mode != LSV_PUT_REPLACE)
		r = lsv_s3_is_there(s3, name);
	if (r < 0)
		return r;
	if (r == 1)
		return lsv_s3_compare(s3, name, part, body);
	return lsv_s3_multipart(s3, name, part, body, time_ns,
	                        mode != LSV_PUT_REPLACE &&
	                                lsv_s3_guard(s3) == LSV_GUARD_HONOURED);
}

int lsv_s3_put(struct lsv_s3 *s3, const char *name, struct lsv_reader *body,
               int64_t time_ns, enum lsv_put_mode mode)
{
	auto_buf struct lsv_buf part = {0};
	uint64_t size = lsv_s3_part_size(body->size,
	                                 s3->common->place.part_size);
	/* A byte more tells whether that is all. */
	int r = lsv_s3_fill(&part, body, size + 1);

	s3->why[0] = 0;
	if (r < 0)
		return r;
	if (mode != LSV_PUT_REPLACE)
		r = find_guard(s3, time_ns);
	if (r < 0)
		return r;
	if (part.n > size)
		return put_parts(s3, name, &part, body, time_ns, mode);
	if (mode == LSV_PUT_REPLACE)
		return send(s3, name, &part, time_ns, false);
	return put_new(s3, name, &part, time_ns);
}
