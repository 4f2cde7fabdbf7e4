/* SPDX-License-Identifier: MIT */

/* What a database is told, as one table: a row a name. */

#include "replica/ship/config.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/stream.h"
#include "replica/ship/config_value.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MAX_WORDS 2

enum kind { KIND_REPLICA, KIND_WORD, KIND_DURATION, KIND_BYTES, KIND_BOOL };

static const struct row {
	const char *name;
	enum kind kind;
	size_t at;                    /* offset of its field */
	const char *words[MAX_WORDS]; /* KIND_WORD: its values, from 0 on */
} rows[] = {
	{"replica", KIND_REPLICA, 0, {0}},
	{"compression",
         KIND_WORD,
         offsetof(struct lsv_config, compression),
         {"lz4", "zstd"}},
	{"durability",
         KIND_WORD,
         offsetof(struct lsv_config, durability),
         {"async", "replica"}},
	{"durability-on-timeout",
         KIND_WORD,
         offsetof(struct lsv_config, on_timeout),
         {"error", "degrade"}},
	{"durability-timeout",
         KIND_DURATION,
         offsetof(struct lsv_config, durability_timeout_ns),
         {0}},
	{"checkpoint",
         KIND_WORD,
         offsetof(struct lsv_config, checkpoint),
         {"assist", "native"}},
	{"sync-interval",
         KIND_DURATION,
         offsetof(struct lsv_config, sync_interval_ns),
         {0}},
	{"snapshot-interval",
         KIND_DURATION,
         offsetof(struct lsv_config, snapshot_interval_ns),
         {0}},
	{"retention",
         KIND_DURATION,
         offsetof(struct lsv_config, retention_ns),
         {0}},
	{"shutdown-sync-timeout",
         KIND_DURATION,
         offsetof(struct lsv_config, shutdown_timeout_ns),
         {0}},
	{"max-local-bytes",
         KIND_BYTES,
         offsetof(struct lsv_config, max_local_bytes),
         {0}},
	{"takeover", KIND_BOOL, offsetof(struct lsv_config, takeover), {0}},
	{"force-wal", KIND_BOOL, offsetof(struct lsv_config, force_wal), {0}},
	{"require-config",
         KIND_BOOL,
         offsetof(struct lsv_config, require_config),
         {0}},
};

/* All words are read as int, whatever enum the field is. */
_Static_assert(sizeof(enum lsv_codec) == sizeof(int) &&
                       sizeof(enum lsv_durability) == sizeof(int) &&
                       sizeof(enum lsv_on_timeout) == sizeof(int) &&
                       sizeof(enum lsv_checkpoint) == sizeof(int),
               "an enum is an int");

void lsv_config_init(struct lsv_config *config)
{
	*config = (struct lsv_config){
		.compression = LSV_LZ4,
		.durability = LSV_DURABILITY_ASYNC,
		.on_timeout = LSV_TIMEOUT_ERROR,
		.durability_timeout_ns = 30 * LSV_NS_PER_S,
		.checkpoint = LSV_CHECKPOINT_ASSIST,
		.sync_interval_ns = LSV_NS_PER_S,
		.retention_ns = LSV_NS_PER_S * 24 * 3600,
		.shutdown_timeout_ns = 5 * LSV_NS_PER_S,
	};
}

void lsv_config_free(struct lsv_config *config)
{
	for (size_t i = 0; i < config->n_replicas; i++)
		lsv_replica_config_free(&config->replicas[i]);
	free(take(config->replicas));
	config->n_replicas = 0;
}

int lsv_config_copy(const struct lsv_config *from, struct lsv_config *to)
{
	struct lsv_config copy = *from;

	copy.n_replicas = 0;
	copy.replicas = NULL;
	if (from->n_replicas > 0)
		copy.replicas = calloc(from->n_replicas, sizeof *copy.replicas);
	if (from->n_replicas > 0 && !copy.replicas)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_replicas; i++) {
		int r = lsv_replica_config_copy(&from->replicas[i],
		                                &copy.replicas[i]);

		if (r < 0) {
			lsv_config_free(&copy);
			return r;
		}
		copy.n_replicas++;
	}
	*to = copy;
	return 0;
}

int lsv_config_add(struct lsv_config *config,
                   const struct lsv_replica_config *replica)
{
	struct lsv_replica_config *more;

	if (config->n_replicas == LSV_REPLICAS_MAX)
		return -E2BIG;
	more = realloc(config->replicas,
	               (config->n_replicas + 1) * sizeof *more);
	if (!more)
		return -ENOMEM;
	more[config->n_replicas++] = *replica;
	config->replicas = more;
	return 0;
}

static bool is_twin(const struct lsv_replica_config *a,
                    const struct lsv_replica_config *b)
{
	return strcmp(a->name, b->name) == 0 ||
	       lsv_replica_config_is_same(a, b);
}

static int settle_one(struct lsv_config *config,
                      struct lsv_replica_config *replica)
{
	char scheme[LSV_REPLICA_NAME_SIZE];

	if (!replica->name) {
		lsv_replica_config_scheme(replica, scheme);
		replica->name = strdup(scheme);
		if (!replica->name)
			return -ENOMEM;
	}
	if (replica->sync_interval_ns == LSV_UNSET_NS)
		replica->sync_interval_ns = config->sync_interval_ns;
	if (replica->snapshot_interval_ns == LSV_UNSET_NS)
		replica->snapshot_interval_ns = config->snapshot_interval_ns;
	if (replica->retention_ns == LSV_UNSET_NS)
		replica->retention_ns = config->retention_ns;
	return 0;
}

int lsv_config_settle(struct lsv_config *config, size_t *twin)
{
	for (size_t i = 0; i < config->n_replicas; i++) {
		int r = settle_one(config, &config->replicas[i]);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++) {
			if (!is_twin(&config->replicas[k],
			             &config->replicas[i]))
				continue;
			if (twin)
				*twin = i;
			return -EEXIST;
		}
	}
	return 0;
}

const char *lsv_config_name(size_t i)
{
	return i < LENGTH(rows) ? rows[i].name : NULL;
}

static int set_replica(struct lsv_config *config, const char *url)
{
	struct lsv_replica_config replica;
	int r;

	lsv_replica_config_init(&replica);
	r = lsv_replica_config_set(&replica, "url", url);
	if (r < 0)
		return r;
	lsv_config_free(config);
	if (replica.url)
		r = lsv_config_add(config, &replica);
	if (r < 0)
		lsv_replica_config_free(&replica);
	return r;
}

static int set_word(const struct row *row, void *field, const char *value)
{
	for (int i = 0; i < MAX_WORDS && row->words[i]; i++) {
		if (strcmp(row->words[i], value) == 0) {
			memcpy(field, &i, sizeof i);
			return 0;
		}
	}
	return -EINVAL;
}

/* The last word has who speaks last: what the replicas were told before of
 * the same matter no longer counts. */
static void forget(struct lsv_config *config, size_t at)
{
	for (size_t i = 0; i < config->n_replicas; i++) {
		struct lsv_replica_config *replica = &config->replicas[i];

		if (at == offsetof(struct lsv_config, sync_interval_ns))
			replica->sync_interval_ns = LSV_UNSET_NS;
		if (at == offsetof(struct lsv_config, snapshot_interval_ns))
			replica->snapshot_interval_ns = LSV_UNSET_NS;
		if (at == offsetof(struct lsv_config, retention_ns))
			replica->retention_ns = LSV_UNSET_NS;
	}
}

static int set_row(const struct row *row, struct lsv_config *config,
                   const char *value)
{
	void *field = (char *)config + row->at;
	int r;

	switch (row->kind) {
	case KIND_REPLICA:
		return set_replica(config, value);
	case KIND_WORD:
		return set_word(row, field, value);
	case KIND_DURATION:
		r = lsv_duration_parse(value, field);
		if (r == 0)
			forget(config, row->at);
		return r;
	case KIND_BYTES:
		return lsv_value_bytes(value, field);
	case KIND_BOOL:
		return lsv_value_bool(value, field);
	}
	abort();
}

int lsv_config_set(struct lsv_config *config, const char *name,
                   const char *value)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return set_row(&rows[i], config, value);
	}
	return -ENOENT;
}

static int set_one_word(struct lsv_config *config, char *word)
{
	char *equals = strchr(word, '=');
	int r;

	if (!equals)
		return -EINVAL;
	*equals = 0;
	r = lsv_config_set(config, word, equals + 1);
	*equals = '=';
	return r;
}

int lsv_config_set_words(struct lsv_config *config, const char *words,
                         char **bad)
{
	auto_free char *copy = strdup(words);
	char *rest = copy, *word;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, " \t\n")) != NULL) {
		int r = *word ? set_one_word(config, word) : 0;

		if (r < 0) {
			if (bad)
				*bad = strdup(word);
			return r;
		}
	}
	return 0;
}

/* One byte of a database's name into a URL or a path. */
static int append_byte(struct lsv_buf *out, char c, bool encode)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	char escape[3] = {'%', hex[u >> 4], hex[u & 15]};

	if (!encode || isalnum(u) || strchr("-._~/", c))
		return lsv_buf_append(out, &c, 1);
	return lsv_buf_append(out, escape, 3);
}

static int append_bytes(struct lsv_buf *out, const char *text, bool encode)
{
	int r = 0;

	for (; *text && r == 0; text++)
		r = append_byte(out, *text, encode);
	return r;
}

/* What stands behind a percent sign; *p is moved behind it. */
static int append_percent(struct lsv_buf *out, const char **p,
                          const char *db_path, bool encode)
{
	const char *slash = strrchr(db_path, '/');
	bool doubled = out->n > 0 && out->data[out->n - 1] == '/';

	switch (*(*p)++) {
	case 'f':
		return append_bytes(out, slash ? slash + 1 : db_path, encode);
	case 'p':
		return append_bytes(out, db_path + (doubled && *db_path == '/'),
		                    encode);
	case '%':
		return append_byte(out, '%', encode);
	}
	if (!encode || !isxdigit((unsigned char)(*p)[-1]) ||
	    !isxdigit((unsigned char)**p))
		return -EINVAL;
	(*p)++;
	return lsv_buf_append(out, *p - 3, 3);
}

char *lsv_config_expand(const char *url, const char *db_path)
{
	auto_buf struct lsv_buf out = {0};
	bool encode = lsv_url_has_scheme(url);
	const char *end = encode ? strchr(url, '?') : NULL;
	int r = 0;

	if (!end)
		end = url + strlen(url);
	for (const char *p = url; p < end && r == 0;) {
		if (*p++ == '%')
			r = append_percent(&out, &p, db_path, encode);
		else
			r = lsv_buf_append(&out, p - 1, 1);
	}
	if (r < 0 || lsv_buf_append(&out, end, strlen(end) + 1) < 0)
		return NULL;
	return (char *)take(out.data);
}

int lsv_config_expand_all(struct lsv_config *config, const char *db_path)
{
	for (size_t i = 0; i < config->n_replicas; i++) {
		struct lsv_replica_config *replica = &config->replicas[i];
		char *url = lsv_config_expand(replica->url, db_path);

		if (!url)
			return -EINVAL;
		free(replica->url);
		replica->url = url;
	}
	return 0;
}

bool lsv_config_is_fixed(const char *url)
{
	const char *end = lsv_url_has_scheme(url) ? strchr(url, '?') : NULL;

	for (const char *p = url; *p && p != end; p++) {
		if (*p != '%')
			continue;
		p++;
		if (*p == 'f' || *p == 'p')
			return false;
		if (!*p)
			break;
	}
	return true;
}
