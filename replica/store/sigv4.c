/* SPDX-License-Identifier: MIT */

/*
 *	canonical request:  method, path, query, headers, their names, body
 *	string to sign:     algorithm, date, scope, SHA-256 of the former
 *	key:                HMAC chain over date, region, service,
 *"aws4_request"
 */

#include "replica/store/sigv4.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/store/digest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HEADERS_MAX 32
#define DAY_SIZE 8 /* of a date: its first bytes */

void lsv_sigv4_date(int64_t now_ns, char text[LSV_SIGV4_DATE_SIZE])
{
	char rfc3339[LSV_TIME_TEXT_SIZE];
	size_t n = 0;

	lsv_time_format(now_ns, rfc3339);
	for (const char *p = rfc3339; *p != '.'; p++) {
		if (*p != '-' && *p != ':')
			text[n++] = *p;
	}
	text[n++] = 'Z';
	text[n] = 0;
}

int lsv_uri_encode(struct lsv_buf *out, const char *text, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";
	int r = 0;

	for (; *text && r == 0; text++) {
		unsigned char c = (unsigned char)*text;
		char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
		bool is_plain = (c < 128 && isalnum(c)) || strchr("-._~", c) ||
		                (keep_slash && c == '/');

		r = lsv_buf_append(out, is_plain ? text : escape,
		                   is_plain ? 1 : sizeof escape);
	}
	return r;
}

static int append(struct lsv_buf *out, const char *text)
{
	return lsv_buf_append(out, text, strlen(text));
}

static int by_parameter(const void *a, const void *b)
{
	const struct lsv_query *qa = a, *qb = b;
	int order = strcmp(qa->name, qb->name);

	if (order == 0)
		order = strcmp(qa->value ? qa->value : "",
		               qb->value ? qb->value : "");
	return order;
}

int lsv_query_text(struct lsv_query *query, size_t n, char **text)
{
	auto_buf struct lsv_buf out = {0};
	int r = 0;

	if (n)
		qsort(query, n, sizeof *query, by_parameter);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (i)
			r = append(&out, "&");
		if (r == 0)
			r = lsv_uri_encode(&out, query[i].name, false);
		if (r == 0)
			r = append(&out, "=");
		if (r == 0 && query[i].value)
			r = lsv_uri_encode(&out, query[i].value, false);
	}
	if (r == 0)
		r = lsv_buf_append(&out, "", 1);
	if (r == 0)
		*text = (char *)take(out.data);
	return r;
}

/* The headers by their names. */
struct sorted {
	const char *at[HEADERS_MAX];
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const char *const *ha = a, *const *hb = b;
	size_t na = strcspn(*ha, ":"), nb = strcspn(*hb, ":");
	int order = strncmp(*ha, *hb, na < nb ? na : nb);

	return order ? order : (na > nb) - (na < nb);
}

static int sort_headers(const char *const *headers, struct sorted *sorted)
{
	sorted->n = 0;
	for (; *headers; headers++) {
		if (sorted->n == HEADERS_MAX || !strchr(*headers, ':'))
			return -EINVAL;
		sorted->at[sorted->n++] = *headers;
	}
	qsort(sorted->at, sorted->n, sizeof *sorted->at, by_name);
	return 0;
}

static const char *value_of(const char *header)
{
	header += strcspn(header, ":") + 1;
	return header + strspn(header, " ");
}

/* The value without blanks around it, and with single ones inside. */
static int append_value(struct lsv_buf *out, const char *value)
{
	int r = 0;

	for (; *value && r == 0; value++) {
		if (*value == ' ' && (value[1] == ' ' || !value[1]))
			continue;
		r = lsv_buf_append(out, value, 1);
	}
	return r;
}

static int append_headers(struct lsv_buf *out, const struct sorted *sorted)
{
	int r = 0;

	for (size_t i = 0; i < sorted->n && r == 0; i++) {
		const char *header = sorted->at[i];

		r = lsv_buf_append(out, header, strcspn(header, ":") + 1);
		if (r == 0)
			r = append_value(out, value_of(header));
		if (r == 0)
			r = append(out, "\n");
	}
	return r;
}

static int append_names(struct lsv_buf *out, const struct sorted *sorted)
{
	int r = 0;

	for (size_t i = 0; i < sorted->n && r == 0; i++) {
		if (i)
			r = append(out, ";");
		if (r == 0)
			r = lsv_buf_append(out, sorted->at[i],
			                   strcspn(sorted->at[i], ":"));
	}
	return r == 0 ? lsv_buf_append(out, "", 1) : r;
}

static int hash_request(const struct lsv_sigv4 *request,
                        const struct sorted *sorted, const char *names,
                        char hash[LSV_SHA256_TEXT_SIZE])
{
	auto_buf struct lsv_buf headers = {0};
	auto_free char *text = NULL;
	int r = append_headers(&headers, sorted);

	if (r == 0)
		r = lsv_buf_append(&headers, "", 1);
	if (r < 0)
		return r;
	text = lsv_sprintf("%s\n%s\n%s\n%s\n%s\n%s", request->method,
	                   request->path, request->query,
	                   (const char *)headers.data, names,
	                   request->body_sha256);
	return text ? lsv_sha256_text(text, strlen(text), hash) : -ENOMEM;
}

static int derive_key(const struct lsv_sigv4 *request, const char *date,
                      const char *secret, uint8_t key[LSV_SHA256_SIZE])
{
	const struct {
		const char *text;
		size_t n;
	} steps[] = {
		{date, DAY_SIZE},
		{request->region, strlen(request->region)},
		{request->service, strlen(request->service)},
		{"aws4_request", strlen("aws4_request")},
	};
	auto_free char *first = lsv_sprintf("AWS4%s", secret);
	const void *from = first;
	size_t n_from = first ? strlen(first) : 0;
	uint8_t next[LSV_SHA256_SIZE];
	int r = first ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof steps / sizeof *steps && r == 0; i++) {
		r = lsv_hmac_sha256(from, n_from, steps[i].text, steps[i].n,
		                    next);
		memcpy(key, next, sizeof next);
		from = key;
		n_from = LSV_SHA256_SIZE;
	}
	lsv_wipe(next, sizeof next);
	if (first)
		lsv_wipe(first, strlen(first));
	return r;
}

static int sign(const struct lsv_sigv4 *request, const char *date,
                const char *scope, const char *hash, const char *secret,
                char signature[LSV_SHA256_TEXT_SIZE])
{
	uint8_t key[LSV_SHA256_SIZE];
	auto_free char *text = lsv_sprintf(ALGORITHM "\n%.16s\n%s\n%s", date,
	                                   scope, hash);
	int r = text ? derive_key(request, date, secret, key) : -ENOMEM;

	if (r == 0)
		r = lsv_hmac_sha256_text(key, sizeof key, text, strlen(text),
		                         signature);
	lsv_wipe(key, sizeof key);
	return r;
}

/* The value of x-amz-date; NULL: a header that must be there is not. */
static const char *find_date(const struct sorted *sorted)
{
	const char *date = NULL;
	bool has_host = false;

	for (size_t i = 0; i < sorted->n; i++) {
		if (strncmp(sorted->at[i], "x-amz-date:", 11) == 0)
			date = value_of(sorted->at[i]);
		has_host |= strncmp(sorted->at[i], "host:", 5) == 0;
	}
	return has_host && date && strlen(date) == LSV_SIGV4_DATE_SIZE - 1
	               ? date
	               : NULL;
}

int lsv_sigv4_sign(const struct lsv_sigv4 *request, const char *key_id,
                   const char *secret, char **header)
{
	char hash[LSV_SHA256_TEXT_SIZE], signature[LSV_SHA256_TEXT_SIZE];
	auto_buf struct lsv_buf names = {0};
	auto_free char *scope = NULL;
	struct sorted sorted;
	const char *date;
	int r = sort_headers(request->headers, &sorted);

	date = r == 0 ? find_date(&sorted) : NULL;
	if (!date)
		return -EINVAL;
	scope = lsv_sprintf("%.8s/%s/%s/aws4_request", date, request->region,
	                    request->service);
	r = scope ? append_names(&names, &sorted) : -ENOMEM;
	if (r == 0)
		r = hash_request(request, &sorted, (const char *)names.data,
		                 hash);
	if (r == 0)
		r = sign(request, date, scope, hash, secret, signature);
	if (r < 0)
		return r;
	*header = lsv_sprintf("authorization: " ALGORITHM
	                      " Credential=%s/%s, SignedHeaders=%s, "
	                      "Signature=%s",
	                      key_id, scope, (const char *)names.data,
	                      signature);
	return *header ? 0 : -ENOMEM;
}
