/* SPDX-License-Identifier: MIT */

/*
 * DeleteObjects takes a thousand keys.  Not every store knows it, and not every
 * key can be said in XML: what is refused as a whole goes one by one, and so
 * does all that comes later, if that helped.
 */

#include "replica/store/s3_delete.h"

#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/digest.h"
#include "replica/store/s3_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEYS_MAX 1000
#define STALLED_S 120 /* it may work for a while before it answers */

int lsv_s3_delete(struct lsv_s3 *s3, const char *name)
{
	auto_response struct lsv_http_response response = {0};
	const struct lsv_s3_call call = {.method = "DELETE", .name = name};
	int r = lsv_s3_do(s3, &call, &response);

	return r == -ENOENT ? 0 : r;
}

static int append(struct lsv_buf *xml, const char *text)
{
	return lsv_buf_append(xml, text, strlen(text));
}

static const struct {
	char byte;
	const char *text;
} entities[] = {
	{'&', "&amp;"}, {'<', "&lt;"},   {'>', "&gt;"},
	{'\t', "&#9;"}, {'\n', "&#10;"}, {'\r', "&#13;"},
};

static int append_escaped(struct lsv_buf *xml, const char *text)
{
	int r = 0;

	for (; *text && r == 0; text++) {
		const char *entity = NULL;

		for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
			if (entities[i].byte == *text)
				entity = entities[i].text;
		r = entity ? append(xml, entity) : lsv_buf_append(xml, text, 1);
	}
	return r;
}

static int append_name(const struct lsv_s3 *s3, const char *name,
                       struct lsv_buf *xml)
{
	auto_free char *key = lsv_s3_key(s3, name);
	int r = key ? append(xml, "<Object><Key>") : -ENOMEM;

	if (r == 0)
		r = append_escaped(xml, key);
	return r == 0 ? append(xml, "</Key></Object>") : r;
}

static int write_request(const struct lsv_s3 *s3, const char *const *names,
                         size_t n, struct lsv_buf *xml)
{
	int r = append(xml, "<Delete "
	                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	                    "<Quiet>true</Quiet>");

	for (size_t i = 0; i < n && r == 0; i++)
		r = append_name(s3, names[i], xml);
	return r == 0 ? append(xml, "</Delete>") : r;
}

/* The first key that is still there counts. */
struct refusal {
	bool is_answer; /* it speaks of what was asked */
	bool is_any;
	char key[200];
	struct lsv_s3_error error; /* of the one that is being read */
	struct lsv_s3_error first;
};

static int read_refusal(void *arg, const char *path, const char *text)
{
	struct refusal *refusal = arg;
	struct lsv_s3_error *error = &refusal->error;

	if (strcmp(path, "DeleteResult") == 0)
		refusal->is_answer = true;
	if (strcmp(path, "DeleteResult/Error/Key") == 0 && !refusal->is_any)
		snprintf(refusal->key, sizeof refusal->key, "%s", text);
	if (strcmp(path, "DeleteResult/Error/Code") == 0)
		snprintf(error->code, sizeof error->code, "%s", text);
	if (strcmp(path, "DeleteResult/Error/Message") == 0)
		snprintf(error->message, sizeof error->message, "%s", text);
	if (strcmp(path, "DeleteResult/Error") != 0)
		return 0;
	if (!refusal->is_any && lsv_s3_error_meaning(error) != -ENOENT) {
		refusal->is_any = true;
		refusal->first = *error;
	}
	*error = (struct lsv_s3_error){.status = error->status};
	return 0;
}

/* It says 200, and what of it could not be done. */
static int take_answer(struct lsv_s3 *s3,
                       const struct lsv_http_response *response,
                       bool *is_answered)
{
	struct refusal refusal = {.error.status = response->status};
	char text[LSV_CLIENT_WHY_SIZE];
	int r = lsv_xml_read(response->body.data, response->body.n,
	                     read_refusal, &refusal);

	if (r == 0 && !refusal.is_answer)
		r = -EPROTO;
	if (r < 0)
		return lsv_s3_failed(s3, r, NULL,
		                     "it does not delete as S3 does");
	*is_answered = true;
	if (!refusal.is_any)
		return 0;
	lsv_s3_error_text(&refusal.first, text, sizeof text);
	return lsv_s3_failed(s3, lsv_s3_error_meaning(&refusal.first),
	                     refusal.key, "%s", text);
}

static int delete_batch(struct lsv_s3 *s3, const char *const *names, size_t n,
                        bool *is_answered)
{
	auto_response struct lsv_http_response response = {0};
	auto_buf struct lsv_buf xml = {0};
	auto_free char *header = NULL;
	const char *headers[] = {NULL, "content-type: application/xml", NULL};
	struct lsv_query query[] = {{"delete", NULL}};
	struct lsv_s3_call call = {
		.method = "POST",
		.query = query,
		.n_query = 1,
		.headers = headers,
		.stalled_s = STALLED_S,
	};
	char md5[LSV_MD5_TEXT_SIZE];
	int r = write_request(s3, names, n, &xml);

	if (r == 0)
		r = lsv_md5_text(xml.data, xml.n, md5);
	if (r < 0)
		return r;
	header = lsv_sprintf("content-md5: %s", md5);
	if (!header)
		return -ENOMEM;
	headers[0] = header;
	call.body = xml.data;
	call.n_body = xml.n;
	r = lsv_s3_do(s3, &call, &response);
	return r < 0 ? r : take_answer(s3, &response, is_answered);
}

static int delete_each(struct lsv_s3 *s3, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = lsv_s3_delete(s3, names[i]);
	return r;
}

static bool can_batch(struct lsv_s3 *s3)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&s3->common->mutex);

	return !s3->common->lacks_batch;
}

static void set_lacks_batch(struct lsv_s3 *s3)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&s3->common->mutex);

	s3->common->lacks_batch = true;
}

/* Nothing was said of the objects, and another try would be no better. */
static bool is_beyond_it(int r, bool is_answered)
{
	return r < 0 && !is_answered && r != -EAGAIN && r != -ENOMEM &&
	       r != -ECANCELED;
}

static int delete_up_to_max(struct lsv_s3 *s3, const char *const *names,
                            size_t n)
{
	bool is_answered = false;
	int r;

	if (n < 2 || !can_batch(s3))
		return delete_each(s3, names, n);
	r = delete_batch(s3, names, n, &is_answered);
	if (!is_beyond_it(r, is_answered))
		return r;
	log_debug("%s: cannot delete many at once: %s", s3->base.url,
	          lsv_client_why(&s3->base, r));
	r = delete_each(s3, names, n);
	if (r == 0)
		set_lacks_batch(s3);
	return r;
}

int lsv_s3_delete_some(struct lsv_s3 *s3, const char *const *names, size_t n)
{
	int r = 0;

	while (n && r == 0) {
		size_t some = n < KEYS_MAX ? n : KEYS_MAX;

		r = delete_up_to_max(s3, names, some);
		names += some;
		n -= some;
	}
	return r;
}
