/* SPDX-License-Identifier: MIT */

/*
 * ListObjectsV2.  A store that knows only the first version answers as that
 * one does: then the next page begins behind a marker.
 */

#include "replica/store/s3_list.h"

#include "replica/base/clock.h"
#include "replica/base/vector.h"
#include "replica/store/s3_xml.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct entry {
	char *key;
	uint64_t size;
	int64_t time_ns;
};

LSV_VECTOR(entries, struct entry)

struct page {
	struct entries entries;
	struct entry next; /* being read */
	bool is_encoded;   /* keys are percent-encoded */
	bool is_truncated;
	char *token;  /* of the next page, version 2 */
	char *marker; /* the same, version 1 */
};

static void page_free(struct page *page)
{
	for (size_t i = 0; i < page->entries.n; i++)
		free(page->entries.at[i].key);
	free(page->entries.at);
	free(page->next.key);
	free(page->token);
	free(page->marker);
}

#define auto_page __attribute__((cleanup(page_free)))

static int keep(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

static int end_entry(struct page *page)
{
	int r;

	if (!page->next.key)
		return -EPROTO;
	r = entries_append(&page->entries, page->next);
	if (r == 0)
		page->next = (struct entry){0};
	return r;
}

static int take_entry(struct page *page, const char *name, const char *text)
{
	if (strcmp(name, "Key") == 0)
		return keep(&page->next.key, text);
	if (strcmp(name, "LastModified") == 0)
		return lsv_time_parse(text, &page->next.time_ns);
	if (strcmp(name, "Size") == 0) {
		if (!isdigit((unsigned char)*text))
			return -EPROTO;
		page->next.size = strtoull(text, NULL, 10);
	}
	return 0;
}

static int take_element(void *arg, const char *path, const char *text)
{
	static const char root[] = "ListBucketResult/";
	struct page *page = arg;

	if (strcmp(path, "ListBucketResult") == 0)
		return 0;
	if (strncmp(path, root, strlen(root)) != 0)
		return -EPROTO;
	path += strlen(root);
	if (strcmp(path, "Contents") == 0)
		return end_entry(page);
	if (strncmp(path, "Contents/", 9) == 0)
		return take_entry(page, path + 9, text);
	if (strcmp(path, "EncodingType") == 0)
		page->is_encoded = strcmp(text, "url") == 0;
	if (strcmp(path, "IsTruncated") == 0)
		page->is_truncated = strcmp(text, "true") == 0;
	if (strcmp(path, "NextContinuationToken") == 0)
		return keep(&page->token, text);
	if (strcmp(path, "NextMarker") == 0)
		return keep(&page->marker, text);
	return 0;
}

/* As S3 encodes: a '+' is a blank. */
static int decode(char **text)
{
	char *decoded;

	for (char *p = *text; *p; p++)
		if (*p == '+')
			*p = ' ';
	decoded = lsv_url_decode(*text);
	if (!decoded)
		return -EPROTO;
	free(*text);
	*text = decoded;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;

	return strcmp(ea->key, eb->key);
}

/* Keys as they are, in the order of their bytes. */
static int settle(struct page *page)
{
	struct entries *entries = &page->entries;
	int r = 0;

	for (size_t i = 0; i < entries->n && page->is_encoded && r == 0; i++)
		r = decode(&entries->at[i].key);
	if (r == 0 && page->marker && page->is_encoded)
		r = decode(&page->marker);
	if (r < 0)
		return r;
	if (entries->n)
		qsort(entries->at, entries->n, sizeof *entries->at, by_key);
	if (page->is_truncated && !page->token && !page->marker) {
		if (entries->n == 0)
			return -EPROTO;
		return keep(&page->marker, entries->at[entries->n - 1].key);
	}
	return 0;
}

/* 'before': the page before this one; NULL: this is the first. */
static int get_page(struct lsv_s3 *s3, const char *prefix,
                    const struct page *before, struct page *page)
{
	auto_response struct lsv_http_response response = {0};
	struct lsv_query query[4] = {
		{"encoding-type", "url"},
		{"prefix", prefix},
		{"list-type", "2"},
	};
	struct lsv_s3_call call = {
		.method = "GET",
		.query = query,
		.n_query = 3,
	};
	int r;

	if (before && before->token)
		query[call.n_query++] = (struct lsv_query){"continuation-token",
		                                           before->token};
	else if (before)
		query[2] = (struct lsv_query){"marker", before->marker};
	r = lsv_s3_do(s3, &call, &response);
	if (r == -ENOENT) /* of the bucket, nothing is just missing */
		return lsv_s3_failed(s3, -ENXIO, NULL,
		                     "the store says 404; are its endpoint and "
		                     "the bucket's name right?");
	if (r < 0)
		return r;
	r = lsv_xml_read(response.body.data, response.body.n, take_element,
	                 page);
	if (r == 0)
		r = settle(page);
	if (r < 0)
		return lsv_s3_failed(s3, r == -EINVAL ? -EPROTO : r, NULL,
		                     "it does not list as S3 does; is that an "
		                     "S3 endpoint?");
	return 0;
}

/* Where the names begin in a page's keys. */
static size_t root_length(const struct lsv_s3 *s3)
{
	size_t n = strlen(s3->common->place.prefix);

	return n ? n + 1 : 0;
}

static int tell(struct lsv_s3 *s3, const struct page *page, char **last,
                lsv_list_fn *each, void *arg)
{
	size_t n_root = root_length(s3);

	for (size_t i = 0; i < page->entries.n; i++) {
		const struct entry *entry = &page->entries.at[i];
		struct lsv_object object = {
			.size = entry->size,
			.time_ns = entry->time_ns,
		};
		int r;

		if (strlen(entry->key) <= n_root)
			continue;
		if (*last && strcmp(entry->key, *last) <= 0)
			return lsv_s3_failed(s3, -EPROTO, NULL,
			                     "its pages are not in the order "
			                     "of keys");
		object.name = entry->key + n_root;
		r = each(arg, &object);
		if (r != 0)
			return r;
	}
	return page->entries.n
	               ? keep(last, page->entries.at[page->entries.n - 1].key)
	               : 0;
}

int lsv_s3_list(struct lsv_s3 *s3, const char *prefix, lsv_list_fn *each,
                void *arg)
{
	auto_free char *key = lsv_s3_key(s3, prefix);
	auto_free char *last = NULL;
	auto_page struct page before = {0};
	bool is_first = true;
	int r = key ? 0 : -ENOMEM;

	while (r == 0 && (is_first || before.is_truncated)) {
		struct page page = {0};

		r = get_page(s3, key, is_first ? NULL : &before, &page);
		if (r == 0)
			r = tell(s3, &page, &last, each, arg);
		page_free(&before);
		before = page;
		is_first = false;
	}
	return r;
}
