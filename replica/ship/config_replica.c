/* SPDX-License-Identifier: MIT */

/* One replica as a table: a row a name. */

#include "replica/ship/config_replica.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/config_path.h"
#include "replica/ship/config_value.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define AT(field) offsetof(struct lsv_replica_config, field)

enum kind {
	KIND_TEXT,
	KIND_URL,
	KIND_DURATION,
	KIND_BOOL,
	KIND_CHOICE,
	KIND_PART_SIZE,
	KIND_NUMBER
};

static const struct row {
	const char *name;
	enum kind kind;
	size_t at; /* offset of its field */
} rows[] = {
	{"name", KIND_TEXT, AT(name)},
	{"url", KIND_URL, AT(url)},
	{"sync-interval", KIND_DURATION, AT(sync_interval_ns)},
	{"snapshot-interval", KIND_DURATION, AT(snapshot_interval_ns)},
	{"retention", KIND_DURATION, AT(retention_ns)},
	{"access-key-id", KIND_TEXT, AT(options.access_key_id)},
	{"secret-access-key", KIND_TEXT, AT(options.secret_access_key)},
	{"session-token", KIND_TEXT, AT(options.session_token)},
	{"region", KIND_TEXT, AT(options.region)},
	{"endpoint", KIND_TEXT, AT(options.endpoint)},
	{"force-path-style", KIND_CHOICE, AT(options.force_path_style)},
	{"skip-verify", KIND_BOOL, AT(options.skip_verify)},
	{"sse", KIND_TEXT, AT(options.sse)},
	{"sse-kms-key-id", KIND_TEXT, AT(options.sse_kms_key_id)},
	{"storage-class", KIND_TEXT, AT(options.storage_class)},
	{"part-size", KIND_PART_SIZE, AT(options.part_size)},
	{"concurrency", KIND_NUMBER, AT(options.concurrency)},
	{"ca-file", KIND_TEXT, AT(options.ca_file)},
};

static bool is_text(const struct row *row)
{
	return row->kind == KIND_TEXT || row->kind == KIND_URL;
}

static char **text_of(struct lsv_replica_config *replica, const struct row *row)
{
	return (char **)((char *)replica + row->at);
}

void lsv_replica_config_init(struct lsv_replica_config *replica)
{
	*replica = (struct lsv_replica_config){
		.sync_interval_ns = LSV_UNSET_NS,
		.snapshot_interval_ns = LSV_UNSET_NS,
		.retention_ns = LSV_UNSET_NS,
	};
}

void lsv_replica_config_free(struct lsv_replica_config *replica)
{
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (is_text(&rows[i]))
			free(*text_of(replica, &rows[i]));
	lsv_replica_config_init(replica);
}

int lsv_replica_config_copy(const struct lsv_replica_config *from,
                            struct lsv_replica_config *to)
{
	struct lsv_replica_config copy = *from;
	int r = 0;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char **text = text_of(&copy, &rows[i]);

		if (!is_text(&rows[i]) || !*text)
			continue;
		/* After a failure the rest is not ours to free. */
		*text = r == 0 ? strdup(*text) : NULL;
		if (!*text)
			r = -ENOMEM;
	}
	if (r < 0)
		lsv_replica_config_free(&copy);
	else
		*to = copy;
	return r;
}

static int set_text(char **field, const char *value, enum kind kind)
{
	char *text = NULL;

	if (*value) {
		text = kind == KIND_URL ? lsv_value_url(value) : strdup(value);
		if (!text)
			return -ENOMEM;
	}
	free(*field);
	*field = text;
	return 0;
}

static int set_choice(enum lsv_choice *field, const char *value)
{
	bool is_yes;
	int r = lsv_value_bool(value, &is_yes);

	if (r == 0)
		*field = is_yes ? LSV_CHOICE_YES : LSV_CHOICE_NO;
	return r;
}

/* 0, as Litestream has it: what is usual. */
static int set_part_size(uint64_t *field, const char *value)
{
	uint64_t size;
	int r = lsv_value_bytes(value, &size);

	if (r < 0)
		return r;
	if (size && (size < LSV_PART_MIN || size > LSV_PART_MAX))
		return -EINVAL;
	*field = size;
	return 0;
}

static int set_number(uint64_t *field, const char *value)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || end == value || *end || !isdigit((unsigned char)*value))
		return -EINVAL;
	*field = n;
	return 0;
}

static int set_row(const struct row *row, struct lsv_replica_config *replica,
                   const char *value)
{
	void *field = (char *)replica + row->at;

	switch (row->kind) {
	case KIND_TEXT:
	case KIND_URL:
		return set_text(field, value, row->kind);
	case KIND_DURATION:
		return lsv_duration_parse(value, field);
	case KIND_BOOL:
		return lsv_value_bool(value, field);
	case KIND_CHOICE:
		return set_choice(field, value);
	case KIND_PART_SIZE:
		return set_part_size(field, value);
	case KIND_NUMBER:
		return set_number(field, value);
	}
	abort();
}

int lsv_replica_config_set(struct lsv_replica_config *replica, const char *name,
                           const char *value)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return set_row(&rows[i], replica, value);
	}
	return -ENOENT;
}

const char *const *lsv_replica_config_names(void)
{
	static const char *names[LENGTH(rows) + 1];

	/* Filled with the same pointers by whoever comes first. */
	for (size_t i = 0; i < LENGTH(rows); i++)
		__atomic_store_n(&names[i], rows[i].name, __ATOMIC_RELAXED);
	return names;
}

void lsv_replica_config_scheme(const struct lsv_replica_config *replica,
                               char name[LSV_REPLICA_NAME_SIZE])
{
	const char *url = replica->url;
	int n = lsv_url_has_scheme(url) ? (int)strcspn(url, ":") : 0;

	snprintf(name, LSV_REPLICA_NAME_SIZE, "%.*s",
	         n ? n : (int)strlen("file"), n ? url : "file");
}

/* What says where it is; a folder has one text, as a URL, too. */
static char *place_of(const char *url)
{
	static const char scheme[] = "file://";
	auto_free char *path = NULL;

	if (!lsv_url_has_scheme(url))
		return strdup(url);
	if (strncmp(url, scheme, strlen(scheme)) == 0 &&
	    lsv_url_file_path(url + strlen(scheme), &path) == 0)
		return lsv_path_fold(path) ? take(path) : NULL;
	return strndup(url, strcspn(url, "?"));
}

bool lsv_replica_config_is_same(const struct lsv_replica_config *a,
                                const struct lsv_replica_config *b)
{
	auto_free char *one = place_of(a->url);
	auto_free char *other = place_of(b->url);

	return one && other && strcmp(one, other) == 0;
}

static bool is_in(const char *db_path, const char *path)
{
	return path &&
	       (strcmp(path, db_path) == 0 || lsv_path_below(db_path, path));
}

/* A directory that can never be, for the database's file is there. */
static bool is_in_db(const char *url, const char *db_path)
{
	auto_free char *place = place_of(url);
	auto_free char *real = NULL;

	if (!place || *place != '/')
		return false;
	real = lsv_path_real(place);
	return is_in(db_path, place) || is_in(db_path, real);
}

int lsv_replica_config_check(const struct lsv_replica_config *replica,
                             const char *db_path)
{
	struct lsv_client *client;
	int r;

	if (is_in_db(replica->url, db_path))
		return log_error(0,
		                 "cannot replicate %s to %s: that is the "
		                 "database itself; a replica is a directory "
		                 "or a prefix in a bucket",
		                 db_path, replica->url),
		       -EINVAL;
	r = lsv_client_open(replica->url, &replica->options, &client);
	if (r == 0)
		lsv_client_close(client);
	return r;
}
