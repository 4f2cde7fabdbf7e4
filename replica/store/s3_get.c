/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_get.h"

#include "replica/base/fileio.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/*
 * What comes, cut to the range: a store may answer 200 and send all of it.
 * Bytes counted from the end are kept until all are there, since nobody can
 * say of half of them where they stand.
 */
struct sieve {
	struct lsv_writer base;
	struct lsv_http_response response;
	const struct lsv_range *range; /* NULL: all */
	struct lsv_writer *into;
	struct lsv_buf tail;
	uint64_t at; /* of the object, or of the answer when it is part of it */
	uint64_t n_written;
};

/* Where the wanted bytes [*from, *to) stand in what comes. */
static int wanted(const struct sieve *sieve, uint64_t *from, uint64_t *to)
{
	const struct lsv_range *range = sieve->range;
	int64_t length = sieve->response.length;

	*from = 0;
	*to = UINT64_MAX;
	if (!range)
		return 0;
	if (sieve->response.status == 206) {
		if (range->n)
			*to = range->n;
		return 0;
	}
	*from = range->offset;
	if (range->from_end) {
		if (length < 0)
			return -EPROTO;
		*from = (uint64_t)length > range->n
		                ? (uint64_t)length - range->n
		                : 0;
	}
	if (range->n && range->n < UINT64_MAX - *from)
		*to = *from + range->n;
	return 0;
}

static int pass(struct sieve *sieve, const void *bytes, size_t n)
{
	if (n == 0)
		return 0;
	sieve->n_written += n;
	if (sieve->range && sieve->range->from_end)
		return lsv_buf_append(&sieve->tail, bytes, n);
	return sieve->into->write(sieve->into, bytes, n);
}

static int sift(struct lsv_writer *writer, const void *bytes, size_t n)
{
	struct sieve *sieve = (struct sieve *)writer;
	uint64_t from, to, at = sieve->at;
	int r = wanted(sieve, &from, &to);

	if (r < 0)
		return r;
	sieve->at += n;
	if (from < at)
		from = at;
	if (to > at + n)
		to = at + n;
	if (from >= to)
		return 0;
	return pass(sieve, (const char *)bytes + (from - at),
	            (size_t)(to - from));
}

static char *range_header(const struct lsv_range *range)
{
	if (range->from_end)
		return lsv_sprintf("range: bytes=-%" PRIu64, range->n);
	if (!range->n)
		return lsv_sprintf("range: bytes=%" PRIu64 "-", range->offset);
	return lsv_sprintf("range: bytes=%" PRIu64 "-%" PRIu64, range->offset,
	                   range->offset + range->n - 1);
}

/* Everything, and so no header: from the first byte to the last. */
static bool is_whole(const struct lsv_range *range)
{
	return !range || (!range->offset && !range->n && !range->from_end);
}

static int get(struct lsv_s3 *s3, const char *name, struct sieve *sieve)
{
	auto_free char *range = NULL;
	const char *headers[2] = {0};
	const struct lsv_s3_call call = {
		.method = "GET",
		.name = name,
		.headers = headers,
		.into = &sieve->base,
	};
	int r;

	if (sieve->range) {
		range = range_header(sieve->range);
		if (!range)
			return -ENOMEM;
		headers[0] = range;
	}
	r = lsv_s3_do(s3, &call, &sieve->response);
	if (r == -ERANGE) /* it is shorter: there is nothing */
		r = 0;
	if (r == 0 && sieve->tail.n)
		r = sieve->into->write(sieve->into, sieve->tail.data,
		                       sieve->tail.n);
	return r;
}

int lsv_s3_get(struct lsv_s3 *s3, const char *name,
               const struct lsv_range *range, struct lsv_writer *into)
{
	struct sieve sieve = {
		.base = {.write = sift},
		.range = is_whole(range) ? NULL : range,
		.into = into,
	};
	int r;

	if (range && range->from_end && range->n == 0)
		return 0;
	r = get(s3, name, &sieve);
	lsv_buf_free(&sieve.tail);
	lsv_http_response_free(&sieve.response);
	return r;
}
