/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_multipart.h"

#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/s3_parts.h"
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

struct upload {
	struct lsv_s3 *s3;
	const char *name;
	char *id;
	bool is_guarded;
};

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

static int append(struct lsv_buf *xml, const char *text)
{
	return lsv_buf_append(xml, text, strlen(text));
}

static int write_parts(const struct lsv_s3_parts *parts, struct lsv_buf *xml)
{
	int r = append(xml, "<CompleteMultipartUpload>");

	for (size_t i = 0; i < lsv_s3_parts_count(parts) && r == 0; i++) {
		auto_free char *part = lsv_sprintf(
			"<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag>"
			"</Part>",
			i + 1, lsv_s3_parts_etag(parts, i));

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

static int complete(struct upload *upload, const struct lsv_s3_parts *parts)
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
	int r = write_parts(parts, &xml);

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

	memcpy(why, upload->s3->why, sizeof why);
	if (lsv_s3_do(upload->s3, &call, &response) < 0)
		log_debug("cannot throw away parts of %s: %s", upload->name,
		          upload->s3->why);
	memcpy(upload->s3->why, why, sizeof why);
}

/* 'part' holds the first and some bytes more. */
static int put_parts(struct lsv_s3_parts *parts, struct lsv_s3 *s3,
                     const char *name, struct lsv_buf *part,
                     struct lsv_reader *body)
{
	size_t size = lsv_s3_part_size(body->size, s3->common->place.part_size);
	int r = 0;

	while (r == 0 && part->n) {
		size_t n = part->n < size ? part->n : size;

		if (lsv_s3_parts_count(parts) == LSV_S3_PARTS_MAX)
			return lsv_s3_failed(s3, -EFBIG, name,
			                     "it is too large for an object");
		r = lsv_s3_parts_put(parts, part->data, n);
		part->n -= n;
		memmove(part->data, part->data + n, part->n);
		if (lsv_s3_parts_count(parts) % GROW_EVERY == 0 &&
		    body->size < 0)
			size *= 2;
		if (r == 0 && part->n < size)
			r = lsv_s3_fill(part, body, size - part->n);
	}
	return r;
}

static int put_all(struct upload *upload, struct lsv_buf *part,
                   struct lsv_reader *body)
{
	auto_s3_parts struct lsv_s3_parts *parts = NULL;
	int r = lsv_s3_parts_open(upload->s3, upload->name, upload->id, &parts);
	int end;

	if (r < 0)
		return r;
	r = put_parts(parts, upload->s3, upload->name, part, body);
	end = lsv_s3_parts_end(parts);
	if (r == 0)
		r = end;
	return r < 0 ? r : complete(upload, parts);
}

int lsv_s3_multipart(struct lsv_s3 *s3, const char *name, struct lsv_buf *part,
                     struct lsv_reader *body, int64_t time_ns, bool is_guarded)
{
	struct upload upload = {
		.s3 = s3,
		.name = name,
		.is_guarded = is_guarded,
	};
	int r = begin(&upload, time_ns);

	if (r < 0)
		return r;
	r = put_all(&upload, part, body);
	if (r < 0)
		throw_away(&upload);
	free(upload.id);
	return r;
}
