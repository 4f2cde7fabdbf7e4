/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_multipart.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "replica/store/backoff.h"
#include "replica/store/digest.h"
#include "replica/store/s3_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)256 << 10)
#define MIB ((uint64_t)1 << 20)
/* Parts of an object whose size is not known grow, so that the last one is
 * not reached before 5 TiB. */
#define GROW_EVERY 1000
/* A large object takes its time to be put together. */
#define COMPLETE_STALLED_S 600
#define PART_TRIES 5

LSV_VECTOR(etags, char *)

struct upload {
	struct lsv_s3 *s3;
	const char *name;
	char *id;
	struct etags etags; /* a part each */
	bool is_guarded;
};

static void upload_free(struct upload *upload)
{
	for (size_t i = 0; i < upload->etags.n; i++)
		free(upload->etags.at[i]);
	free(upload->etags.at);
	free(upload->id);
}

#define auto_upload __attribute__((cleanup(upload_free)))

uint64_t lsv_s3_part_size(int64_t size, uint64_t wanted)
{
	uint64_t part = wanted ? wanted : LSV_S3_PART_SIZE;
	uint64_t least = size < 0 ? 0 : (uint64_t)size / LSV_S3_PARTS_MAX + 1;

	return least > part ? (least + MIB - 1) / MIB * MIB : part;
}

int lsv_s3_fill(struct lsv_buf *part, struct lsv_reader *body, size_t n)
{
	while (n) {
		size_t some = n < CHUNK ? n : CHUNK;
		ssize_t got;
		int r = lsv_buf_reserve(part, some);

		if (r < 0)
			return r;
		got = lsv_read_full(body, part->data + part->n, some);
		if (got < 0)
			return (int)got;
		part->n += (size_t)got;
		if ((size_t)got < some)
			break;
		n -= some;
	}
	return 0;
}

static int begin(struct upload *upload, int64_t time_ns)
{
	auto_response struct lsv_http_response response = {0};
	auto_headers struct lsv_s3_headers headers = {0};
	struct lsv_query query[] = {{"uploads", NULL}};
	const struct lsv_s3_call call = {
		.method = "POST",
		.name = upload->name,
		.query = query,
		.n_query = 1,
		.headers = (const char *const *)headers.at,
	};
	int r = lsv_s3_object_headers(upload->s3, time_ns, &headers);

	if (r == 0)
		r = lsv_s3_do(upload->s3, &call, &response);
	if (r < 0)
		return r;
	r = lsv_xml_get(response.body.data, response.body.n,
	                "InitiateMultipartUploadResult/UploadId", &upload->id);
	return r == -ENOENT ? lsv_s3_failed(upload->s3, -EPROTO, upload->name,
	                                    "no id for an upload in parts")
	                    : r;
}

static int send_part(struct upload *upload, const void *bytes, size_t n)
{
	auto_response struct lsv_http_response response = {0};
	auto_headers struct lsv_s3_headers headers = {0};
	char number[24], md5[LSV_MD5_TEXT_SIZE];
	struct lsv_query query[] = {{"partNumber", number},
	                            {"uploadId", upload->id}};
	const struct lsv_s3_call call = {
		.method = "PUT",
		.name = upload->name,
		.query = query,
		.n_query = 2,
		.headers = (const char *const *)headers.at,
		.body = bytes,
		.n_body = n,
	};
	char *etag;
	int r = 0;

	snprintf(number, sizeof number, "%zu", upload->etags.n + 1);
	if (lsv_md5_text(bytes, n, md5) == 0)
		r = lsv_s3_add_header(&headers,
		                      lsv_sprintf("content-md5: %s", md5));
	if (r == 0)
		r = lsv_s3_do(upload->s3, &call, &response);
	if (r < 0)
		return r;
	etag = response.etag[0] ? strdup(response.etag) : NULL;
	if (!etag)
		return lsv_s3_failed(upload->s3, -EPROTO, upload->name,
		                     "a part without an ETag");
	r = etags_append(&upload->etags, etag);
	if (r < 0)
		free(etag);
	return r;
}

/* A part alone is tried again: all of them would take too long. */
static int put_part(struct upload *upload, const void *bytes, size_t n)
{
	struct lsv_backoff backoff = {200 * LSV_NS_PER_MS, 5 * LSV_NS_PER_S};
	int r;

	for (int i = 1;; i++) {
		r = send_part(upload, bytes, n);
		if (r != -EAGAIN || i == PART_TRIES)
			return r;
		log_debug("put a part again: %s", upload->s3->base.why);
		lsv_backoff_wait(&backoff);
	}
}

static int append(struct lsv_buf *xml, const char *text)
{
	return lsv_buf_append(xml, text, strlen(text));
}

static int write_parts(const struct upload *upload, struct lsv_buf *xml)
{
	int r = append(xml, "<CompleteMultipartUpload>");

	for (size_t i = 0; i < upload->etags.n && r == 0; i++) {
		auto_free char *part = lsv_sprintf(
			"<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag>"
			"</Part>",
			i + 1, upload->etags.at[i]);

		r = part ? append(xml, part) : -ENOMEM;
	}
	return r == 0 ? append(xml, "</CompleteMultipartUpload>") : r;
}

/* It may say 200 first, to keep the line open, and then that it failed. */
static int check_completed(struct upload *upload,
                           const struct lsv_http_response *response)
{
	auto_free char *key = NULL;
	struct lsv_s3_error error;
	char text[LSV_CLIENT_WHY_SIZE];

	if (lsv_xml_get(response->body.data, response->body.n,
	                "CompleteMultipartUploadResult/ETag", &key) == 0)
		return 0;
	lsv_s3_error_read(response, &error);
	lsv_s3_error_text(&error, text, sizeof text);
	return lsv_s3_failed(upload->s3,
	                     error.code[0] ? lsv_s3_error_meaning(&error)
	                                   : -EAGAIN,
	                     upload->name, "%s", text);
}

static int complete(struct upload *upload)
{
	static const char *const guard[] = {"if-none-match: *", NULL};
	auto_response struct lsv_http_response response = {0};
	auto_buf struct lsv_buf xml = {0};
	struct lsv_query query[] = {{"uploadId", upload->id}};
	struct lsv_s3_call call = {
		.method = "POST",
		.name = upload->name,
		.query = query,
		.n_query = 1,
		.headers = upload->is_guarded ? guard : NULL,
		.stalled_s = COMPLETE_STALLED_S,
	};
	int r = write_parts(upload, &xml);

	if (r < 0)
		return r;
	call.body = xml.data;
	call.n_body = xml.n;
	r = lsv_s3_do(upload->s3, &call, &response);
	if (r == 0)
		r = check_completed(upload, &response);
	/* Somebody was faster, perhaps we ourselves, unheard: the next try
	 * finds the object there and compares. */
	return r == -EEXIST ? -EAGAIN : r;
}

/* What was sent costs money until it is thrown away. */
static void throw_away(struct upload *upload)
{
	auto_response struct lsv_http_response response = {0};
	struct lsv_query query[] = {{"uploadId", upload->id}};
	const struct lsv_s3_call call = {
		.method = "DELETE",
		.name = upload->name,
		.query = query,
		.n_query = 1,
	};
	char why[LSV_CLIENT_WHY_SIZE];

	memcpy(why, upload->s3->base.why, sizeof why);
	if (lsv_s3_do(upload->s3, &call, &response) < 0)
		log_debug("cannot throw away parts of %s: %s", upload->name,
		          upload->s3->base.why);
	memcpy(upload->s3->base.why, why, sizeof why);
}

/* The parts one after another; 'part' holds the first and some bytes more. */
static int put_parts(struct upload *upload, struct lsv_buf *part,
                     struct lsv_reader *body, size_t size)
{
	int r = 0;

	while (r == 0 && part->n) {
		size_t n = part->n < size ? part->n : size;

		if (upload->etags.n == LSV_S3_PARTS_MAX)
			return lsv_s3_failed(upload->s3, -EFBIG, upload->name,
			                     "it is too large for an object");
		r = put_part(upload, part->data, n);
		part->n -= n;
		memmove(part->data, part->data + n, part->n);
		if (upload->etags.n % GROW_EVERY == 0 && body->size < 0)
			size *= 2;
		if (r == 0 && part->n < size)
			r = lsv_s3_fill(part, body, size - part->n);
	}
	return r;
}

int lsv_s3_multipart(struct lsv_s3 *s3, const char *name, struct lsv_buf *part,
                     struct lsv_reader *body, int64_t time_ns, bool is_guarded)
{
	auto_upload struct upload upload = {
		.s3 = s3,
		.name = name,
		.is_guarded = is_guarded,
	};
	int r = begin(&upload, time_ns);

	if (r < 0)
		return r;
	r = put_parts(
		&upload, part, body,
		lsv_s3_part_size(body->size, s3->common->place.part_size));
	if (r == 0)
		r = complete(&upload);
	if (r < 0)
		throw_away(&upload);
	return r;
}
