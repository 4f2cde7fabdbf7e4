/* SPDX-License-Identifier: MIT */

/* What a database is told, as one table: a row a name. */

#include "replica/ship/config.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/stream.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MAX_WORDS 2

enum kind { KIND_URL, KIND_WORD, KIND_DURATION, KIND_BYTES, KIND_BOOL };

static const struct row {
	const char *name;
	enum kind kind;
	size_t at;                    /* offset of its field */
	const char *words[MAX_WORDS]; /* KIND_WORD: its values, from 0 on */
} rows[] = {
	{"replica", KIND_URL, offsetof(struct lsv_config, replica), {0}},
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
	free(take(config->replica));
}

int lsv_config_copy(const struct lsv_config *from, struct lsv_config *to)
{
	char *replica = NULL;

	if (from->replica) {
		replica = strdup(from->replica);
		if (!replica)
			return -ENOMEM;
	}
	*to = *from;
	to->replica = replica;
	return 0;
}

const char *const *lsv_config_names(void)
{
	static const char *names[LENGTH(rows) + 1];

	/* Filled with the same pointers by whoever comes first. */
	for (size_t i = 0; i < LENGTH(rows); i++)
		__atomic_store_n(&names[i], rows[i].name, __ATOMIC_RELAXED);
	return names;
}

/* A relative path is meant from where the process stands now, not from where
 * it will have gone when the replica is first needed.  (A percent sign of the
 * folder's is none of the URL's.) */
static char *absolute(const char *url)
{
	auto_free char *cwd = NULL;
	auto_buf struct lsv_buf text = {0};
	int r = 0;

	if (*url == '/' || strstr(url, "://") ||
	    strncmp(url, "file:", strlen("file:")) == 0)
		return strdup(url);
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return NULL;
	for (const char *p = cwd; r == 0 && *p; p++)
		r = lsv_buf_append(&text, "%%", *p == '%' ? 1 : 0) < 0
		            ? -ENOMEM
		            : lsv_buf_append(&text, p, 1);
	if (r == 0)
		r = lsv_buf_append(&text, "/", 1);
	if (r == 0)
		r = lsv_buf_append(&text, url, strlen(url) + 1);
	return r == 0 ? (char *)take(text.data) : NULL;
}

static int set_url(char **field, const char *value)
{
	char *text = NULL;

	if (*value) {
		text = absolute(value);
		if (!text)
			return -ENOMEM;
	}
	free(*field);
	*field = text;
	return 0;
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

/* "64MiB", "1GB", "4096": K, M, G, T and KiB... are powers of 1024, KB... of
 * 1000. */
static int set_bytes(uint64_t *field, const char *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n, base;
	ptrdiff_t power;
	char *end;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno)
		return -EINVAL;
	unit = *end ? strchr(units, *end) : NULL;
	power = unit ? unit - units + 1 : 0;
	if (unit)
		end++;
	base = unit && strcmp(end, "B") == 0 ? 1000 : 1024;
	if (*end && strcmp(end, "B") != 0 && !(unit && strcmp(end, "iB") == 0))
		return -EINVAL;
	for (; power > 0; power--) {
		if (__builtin_mul_overflow(n, base, &n))
			return -EINVAL;
	}
	*field = n;
	return 0;
}

/* As SQLite reads a boolean of a URI. */
static int set_bool(bool *field, const char *value)
{
	static const char *const words[] = {"0",  "1",   "off",   "on",
	                                    "no", "yes", "false", "true"};

	for (size_t i = 0; i < LENGTH(words); i++) {
		if (strcmp(words[i], value) == 0) {
			*field = i % 2;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_row(const struct row *row, struct lsv_config *config,
                   const char *value)
{
	void *field = (char *)config + row->at;

	switch (row->kind) {
	case KIND_URL:
		return set_url(field, value);
	case KIND_WORD:
		return set_word(row, field, value);
	case KIND_DURATION:
		return lsv_duration_parse(value, field);
	case KIND_BYTES:
		return set_bytes(field, value);
	case KIND_BOOL:
		return set_bool(field, value);
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
