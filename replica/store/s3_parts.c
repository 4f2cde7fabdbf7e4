/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_parts.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/base/thread.h"
#include "replica/base/vector.h"
#include "replica/store/backoff.h"
#include "replica/store/digest.h"
#include "replica/store/s3_put.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PART_TRIES 5

LSV_VECTOR(etags, char *)

/* Carries one part after another: parts 1, 1 + n, 1 + 2n... of n lanes. */
struct lane {
	struct lsv_s3_parts *parts;
	struct lsv_client *client; /* NULL before its first part */
	struct lsv_buf bytes;
	size_t number; /* 0: nothing was given to it, or that was settled */
	char *etag;
	int r;
	bool is_busy; /* under the mutex */
};

struct lsv_s3_parts {
	struct lsv_s3 *s3;
	const char *name;
	const char *id;
	size_t n; /* given */
	struct etags etags;
	pthread_mutex_t mutex;
	pthread_cond_t arrived;
	size_t n_lanes;
	struct lane lanes[LSV_PARTS_AT_ONCE_MAX];
};

int lsv_s3_parts_open(struct lsv_s3 *s3, const char *name, const char *id,
                      struct lsv_s3_parts **out)
{
	struct lsv_s3_parts *parts = calloc(1, sizeof *parts);
	uint64_t n = s3->common->place.concurrency;

	if (!parts)
		return -ENOMEM;
	parts->s3 = s3;
	parts->name = name;
	parts->id = id;
	parts->n_lanes = n == 0                      ? 1
	                 : n > LSV_PARTS_AT_ONCE_MAX ? LSV_PARTS_AT_ONCE_MAX
	                                             : (size_t)n;
	pthread_mutex_init(&parts->mutex, NULL);
	pthread_cond_init(&parts->arrived, NULL);
	for (size_t i = 0; i < parts->n_lanes; i++)
		parts->lanes[i].parts = parts;
	*out = parts;
	return 0;
}

void lsv_s3_parts_close(struct lsv_s3_parts *parts)
{
	if (!parts)
		return;
	for (size_t i = 0; i < parts->n_lanes; i++) {
		lsv_client_close(parts->lanes[i].client);
		lsv_buf_free(&parts->lanes[i].bytes);
	}
	for (size_t i = 0; i < parts->etags.n; i++)
		free(parts->etags.at[i]);
	free(parts->etags.at);
	pthread_cond_destroy(&parts->arrived);
	pthread_mutex_destroy(&parts->mutex);
	free(parts);
}

/* One try of a part; the caller frees the ETag. */
static int send_part(const struct lsv_s3_parts *parts, struct lsv_s3 *s3,
                     size_t number, const struct lsv_buf *bytes, char **etag)
{
	auto_response struct lsv_http_response response = {0};
	auto_headers struct lsv_s3_headers headers = {0};
	char text[24], md5[LSV_MD5_TEXT_SIZE];
	struct lsv_query query[] = {{"partNumber", text},
	                            {"uploadId", parts->id}};
	const struct lsv_s3_call call = {
		.method = "PUT",
		.name = parts->name,
		.query = query,
		.n_query = 2,
		.headers = (const char *const *)headers.at,
		.body = bytes->data,
		.n_body = bytes->n,
	};
	int r = 0;

	snprintf(text, sizeof text, "%zu", number);
	if (lsv_md5_text(bytes->data, bytes->n, md5) == 0)
		r = lsv_s3_add_header(&headers,
		                      lsv_sprintf("content-md5: %s", md5));
	if (r == 0)
		r = lsv_s3_do(s3, &call, &response);
	if (r < 0)
		return r;
	if (!response.etag[0])
		return lsv_s3_failed(s3, -EPROTO, parts->name,
		                     "a part without an ETag");
	*etag = strdup(response.etag);
	return *etag ? 0 : -ENOMEM;
}

/* A part alone is tried again: all of them would take too long. */
static int carry(const struct lsv_s3_parts *parts, struct lsv_s3 *s3,
                 size_t number, const struct lsv_buf *bytes, char **etag)
{
	struct lsv_backoff backoff = {200 * LSV_NS_PER_MS, 5 * LSV_NS_PER_S};
	int r;

	for (int i = 1;; i++) {
		r = send_part(parts, s3, number, bytes, etag);
		if (r != -EAGAIN || i == PART_TRIES)
			return r;
		log_debug("put a part again: %s", s3->why);
		lsv_backoff_wait(&backoff);
	}
}

static int keep_etag(struct lsv_s3_parts *parts, char *etag)
{
	int r = etags_append(&parts->etags, etag);

	if (r < 0)
		free(etag);
	return r;
}

static void *run(void *arg)
{
	struct lane *lane = arg;
	struct lsv_s3_parts *parts = lane->parts;

	lane->r = carry(parts, (struct lsv_s3 *)lane->client, lane->number,
	                &lane->bytes, &lane->etag);

	auto_unlock pthread_mutex_t *held = lsv_lock(&parts->mutex);

	lane->is_busy = false;
	pthread_cond_broadcast(&parts->arrived);
	return NULL;
}

/* What came of its part.  Lanes are settled in the order in which parts were
 * given, so the ETags are in that order. */
static int settle(struct lane *lane)
{
	struct lsv_s3_parts *parts = lane->parts;

	pthread_mutex_lock(&parts->mutex);
	while (lane->is_busy)
		pthread_cond_wait(&parts->arrived, &parts->mutex);
	pthread_mutex_unlock(&parts->mutex);
	if (!lane->number)
		return 0;
	lane->number = 0;
	if (lane->r == 0)
		return keep_etag(parts, take(lane->etag));
	memcpy(parts->s3->why, lane->client->why, sizeof parts->s3->why);
	return lane->r;
}

static int load(struct lane *lane, const void *bytes, size_t n)
{
	struct lsv_client *own = &lane->parts->s3->base;
	int r = lane->client ? 0 : own->ops->clone(own, &lane->client);

	lane->bytes.n = 0;
	return r < 0 ? r : lsv_buf_append(&lane->bytes, bytes, n);
}

static int put_aside(struct lsv_s3_parts *parts, const void *bytes, size_t n)
{
	struct lane *lane = &parts->lanes[parts->n % parts->n_lanes];
	int r = settle(lane);

	if (r == 0)
		r = load(lane, bytes, n);
	if (r < 0)
		return r;
	lane->number = ++parts->n;
	lane->is_busy = true; /* nobody else looks before the thread is there */
	if (lsv_thread_start(run, lane) < 0)
		run(lane);
	return 0;
}

int lsv_s3_parts_put(struct lsv_s3_parts *parts, const void *bytes, size_t n)
{
	const struct lsv_buf borrowed = {.data = (uint8_t *)bytes, .n = n};
	char *etag = NULL;
	int r;

	if (parts->n_lanes > 1)
		return put_aside(parts, bytes, n);
	r = carry(parts, parts->s3, ++parts->n, &borrowed, &etag);
	return r < 0 ? r : keep_etag(parts, etag);
}

int lsv_s3_parts_end(struct lsv_s3_parts *parts)
{
	int r = 0;

	for (size_t i = 0; i < parts->n_lanes; i++) {
		int of_lane = settle(
			&parts->lanes[(parts->n + i) % parts->n_lanes]);

		if (r == 0)
			r = of_lane;
	}
	return r;
}

size_t lsv_s3_parts_count(const struct lsv_s3_parts *parts)
{
	return parts->n;
}

const char *lsv_s3_parts_etag(const struct lsv_s3_parts *parts, size_t i)
{
	return parts->etags.at[i];
}
