/* SPDX-License-Identifier: MIT */

/* Every key that Litestream 0.3.13 and 0.5.18 document, as their source has
 * it, does what the table says of it; and lsvfs.yml(5) says the same. */

#include "test/lib/config_fixture.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

#define SETTINGS_05                                                            \
	"sync-interval validation-interval max-sync-ltx-files auto-recover "   \
	"access-key-id secret-access-key region bucket endpoint "              \
	"force-path-style sign-payload sign-accept-encoding "                  \
	"require-content-md5 put-object-content-md5 skip-verify "              \
	"storage-class part-size concurrency sse-customer-algorithm "          \
	"sse-customer-key sse-customer-key-path sse-kms-key-id account-name "  \
	"account-key sas-token host user password key-path "                   \
	"concurrent-writes host-key webdav-url webdav-username "               \
	"webdav-password jwt seed creds nkey username token tls root-cas "     \
	"client-cert client-key max-reconnects reconnect-wait timeout age "

/* By the section's way from the top. */
static const struct {
	unsigned version;
	const char *way;
	const char *keys;
} documented[] = {
	{LSV_KEY_03, "",
         "addr dbs exec access-key-id secret-access-key logging"},
	{LSV_KEY_03, "logging", "level type stderr"},
	{LSV_KEY_03, "dbs",
         "path meta-path monitor-interval checkpoint-interval "
         "min-checkpoint-page-count max-checkpoint-page-count replicas"},
	{LSV_KEY_03, "dbs replicas",
         "type name path url retention retention-check-interval sync-interval "
         "snapshot-interval validation-interval access-key-id "
         "secret-access-key region bucket endpoint force-path-style "
         "skip-verify account-name account-key host user password key-path "
         "age"},
	{LSV_KEY_05, "",
         SETTINGS_05
         "addr socket levels snapshot validation l0-retention "
         "l0-retention-check-interval verify-compaction retention "
         "heartbeat-url heartbeat-interval dbs exec logging mcp-addr "
         "shutdown-timeout shutdown-sync-timeout shutdown-sync-interval"},
	{LSV_KEY_05, "socket", "enabled path permissions"},
	{LSV_KEY_05, "levels", "interval"},
	{LSV_KEY_05, "snapshot", "interval retention"},
	{LSV_KEY_05, "validation", "interval"},
	{LSV_KEY_05, "retention", "enabled"},
	{LSV_KEY_05, "logging", "level type stderr source"},
	{LSV_KEY_05, "dbs",
         "path dir pattern recursive watch snapshot meta-path meta-dir "
         "monitor-interval checkpoint-interval busy-timeout "
         "min-checkpoint-page-count truncate-page-n max-sync-wal-bytes "
         "restore-if-db-not-exists replica replicas"},
	{LSV_KEY_05, "dbs snapshot", "interval retention"},
	{LSV_KEY_05, "dbs replica", SETTINGS_05 "type name path url"},
};

static const struct lsv_section *walk(const char *way)
{
	const struct lsv_section *section = &lsv_schema;
	auto_free char *copy = strdup(way);
	char *rest = copy, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		const struct lsv_key *key = *word ? lsv_schema_find(section,
		                                                    word)
		                                  : NULL;

		if (*word) {
			ck_assert_ptr_nonnull(key);
			section = key->section;
		}
	}
	return section;
}

/* A value of the key's type, for YAML's flow style. */
static const char *sample(const char *way, const struct lsv_key *key)
{
	static const struct {
		const char *name, *value;
	} special[] = {{"level", "info"},
	               {"type", "file"},
	               {"endpoint", "http://localhost"},
	               {"bucket", ""}};

	if (strcmp(way, "logging") == 0 && strcmp(key->name, "type") == 0)
		return "json";
	for (size_t i = 0; i < LENGTH(special); i++)
		if (strcmp(special[i].name, key->name) == 0)
			return special[i].value;
	switch (key->type) {
	case LSV_KEY_TEXT:
	case LSV_KEY_SECRET:
		return "/some/thing";
	case LSV_KEY_DURATION:
		return "1h30m";
	case LSV_KEY_BOOL:
		return "true";
	case LSV_KEY_NUMBER:
		return "17";
	case LSV_KEY_SIZE:
		return "5MiB";
	case LSV_KEY_TEXTS:
		return "[a, b]";
	case LSV_KEY_SECTION:
		return "{}";
	case LSV_KEY_SECTIONS:
		return "[]";
	}
	abort();
}

static bool is_one_of(const char *name, const char *a, const char *b)
{
	return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

static char *replica_with(const char *name, const char *value)
{
	const char *rest = is_one_of(name, "url", "path") ? "" : "path: /m, ";

	return lsv_sprintf("dbs: [{path: /a, replica: {%s%s: %s}}]\n", rest,
	                   name,
	                   strcmp(name, "url") == 0 ? "file:///m" : value);
}

static char *db_with(const struct lsv_key *key, const char *value)
{
	const char *name = key->name;

	if (strcmp(name, "path") == 0)
		return strdup("dbs: [{path: /a, replica: {path: /m}}]\n");
	if (is_one_of(name, "replica", "replicas"))
		return lsv_sprintf("dbs: [{path: /a, %s: %s}]\n", name,
		                   key->type == LSV_KEY_SECTION
		                           ? "{path: /m}"
		                           : "[{path: /m}]");
	if (is_one_of(name, "dir", "pattern"))
		return strdup("dbs: [{dir: /d, pattern: '*', "
		              "replica: {path: /m}}]\n");
	return lsv_sprintf("dbs: [{dir: /d, pattern: '*', replica: {path: /m}, "
	                   "%s: %s}]\n",
	                   name, value);
}

/* A file that has this one key in its section, and else only what must be. */
static char *file_with(const char *way, const struct lsv_key *key)
{
	const char *value = sample(way, key);

	if (strncmp(way, "dbs replica", strlen("dbs replica")) == 0)
		return replica_with(key->name, value);
	if (strcmp(way, "dbs snapshot") == 0)
		return lsv_sprintf("dbs: [{path: /a, replica: {path: /m}, "
		                   "snapshot: {%s: %s}}]\n",
		                   key->name, value);
	if (strcmp(way, "dbs") == 0)
		return db_with(key, value);
	if (strcmp(way, "levels") == 0)
		return lsv_sprintf("levels: [{%s: %s}]\n", key->name, value);
	return *way ? lsv_sprintf("%s: {%s: %s}\n", way, key->name, value)
	            : lsv_sprintf("%s: %s\n", key->name, value);
}

static void check_key(const char *way, const struct lsv_key *key)
{
	auto_free char *text = file_with(way, key);
	auto_config struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	int r = config_try(text, strlen(text), &file, &why);

	ck_assert_msg((r == 0) == (key->verdict != LSV_KEY_REFUSED), "%s: %s",
	              text, why ? why : "accepted");
	if (key->verdict == LSV_KEY_REFUSED)
		ck_assert_msg(strstr(why, key->why) != NULL, "%s", why);
	if (key->verdict == LSV_KEY_ACCEPTED) {
		ck_assert_msg(file->notes.n == 1, "%s: no line", text);
		ck_assert_ptr_nonnull(strstr(file->notes.at[0], key->why));
	}
	if (key->verdict == LSV_KEY_WORKS)
		ck_assert_msg(file->notes.n == 0, "%s: %s", text,
		              file->notes.n ? file->notes.at[0] : "");
}

START_TEST(every_documented_key_does_what_the_table_says)
{
	auto_scratch char *dir = scratch_enter();

	for (size_t i = 0; i < LENGTH(documented); i++) {
		const struct lsv_section *section = walk(documented[i].way);
		auto_free char *copy = strdup(documented[i].keys);
		char *rest = copy, *word;

		while ((word = strsep(&rest, " ")) != NULL) {
			const struct lsv_key *key = lsv_schema_find(section,
			                                            word);

			ck_assert_msg(key != NULL, "%s: not in the table",
			              word);
			ck_assert_msg(key->versions & documented[i].version,
			              "%s: of another version", word);
			check_key(documented[i].way, key);
		}
	}
}
END_TEST

static bool is_documented(const struct lsv_section *section, const char *name,
                          unsigned version)
{
	auto_free char *word = lsv_sprintf(" %s ", name);

	for (size_t i = 0; i < LENGTH(documented); i++) {
		auto_free char *keys = lsv_sprintf(" %s ", documented[i].keys);

		if (documented[i].version == version &&
		    (walk(documented[i].way) == section ||
		     walk(documented[i].way)->also[0] == section ||
		     walk(documented[i].way)->also[1] == section) &&
		    strstr(keys, word))
			return true;
	}
	return false;
}

/* Calls 'each' for every section, once. */
static void each_section(const struct lsv_section *section,
                         const struct lsv_section **seen, size_t *n_seen,
                         void (*each)(const struct lsv_section *section))
{
	for (size_t i = 0; i < *n_seen; i++)
		if (seen[i] == section)
			return;
	seen[(*n_seen)++] = section;
	each(section);
	for (size_t i = 0; i < section->n; i++)
		if (section->keys[i].section)
			each_section(section->keys[i].section, seen, n_seen,
			             each);
	for (size_t i = 0; i < LENGTH(section->also); i++)
		if (section->also[i])
			each_section(section->also[i], seen, n_seen, each);
}

static void claims_are_true(const struct lsv_section *section)
{
	for (size_t i = 0; i < section->n; i++) {
		const struct lsv_key *key = &section->keys[i];

		for (unsigned v = LSV_KEY_03; v <= LSV_KEY_05; v <<= 1)
			ck_assert_msg(
				!!(key->versions & v) ==
					is_documented(section, key->name, v),
				"%s in %s: not a key of that version",
				key->name, section->name);
	}
}

START_TEST(no_key_claims_a_version_that_has_it_not)
{
	const struct lsv_section *seen[32] = {0};
	size_t n_seen = 0;

	each_section(&lsv_schema, seen, &n_seen, claims_are_true);
	ck_assert_uint_gt(n_seen, 8);
}
END_TEST

static char *manual;
static size_t n_rows;

/* A row of the manual: ".It name|versions|verdict|why" in mdoc. */
static char *row_of(const struct lsv_key *key)
{
	static const char *const verdicts[] = {
		[LSV_KEY_WORKS] = "works",
		[LSV_KEY_ACCEPTED] = "accepted",
		[LSV_KEY_REFUSED] = "refused",
	};
	static const char *const versions[] = {
		[LSV_KEY_03] = "0.3",
		[LSV_KEY_05] = "0.5",
		[LSV_KEY_03 | LSV_KEY_05] = "0.3, 0.5",
		[LSV_KEY_OURS] = "ours",
	};

	return lsv_sprintf(".It Ic %s Pq %s\n.Em %s :\n%s\n", key->name,
	                   versions[key->versions], verdicts[key->verdict],
	                   key->why);
}

static void is_in_manual(const struct lsv_section *section)
{
	for (size_t i = 0; i < section->n; i++) {
		auto_free char *row = row_of(&section->keys[i]);

		n_rows++;
		ck_assert_msg(strstr(manual, row) != NULL,
		              "lsvfs.yml(5) has not:\n%s", row);
	}
}

START_TEST(the_manual_has_the_table_and_nothing_else)
{
	const char *top = getenv("top_srcdir");
	auto_free char *path = lsv_path_join(top ? top : ".",
	                                     "man/lsvfs.yml.5");
	const struct lsv_section *seen[32] = {0};
	size_t n_seen = 0, n = 0, n_in_manual = 0;

	ck_assert_int_eq(lsv_file_read(path, 1 << 20, &manual, &n), 0);
	each_section(&lsv_schema, seen, &n_seen, is_in_manual);
	for (const char *p = manual; (p = strstr(p, "\n.It Ic ")) != NULL; p++)
		n_in_manual++;
	ck_assert_uint_eq(n_in_manual, n_rows);
	free(manual);
}
END_TEST

START_TEST(a_slip_of_the_pen_is_recognized)
{
	const struct lsv_section *db = walk("dbs");

	ck_assert_str_eq(lsv_schema_guess(db, "recursiv"), "recursive");
	ck_assert_str_eq(lsv_schema_guess(db, "replcia"), "replica");
	ck_assert_ptr_null(lsv_schema_guess(db, "x"));
	ck_assert_ptr_null(lsv_schema_guess(db, "something-else"));
}
END_TEST

UNIT(config_schema, every_documented_key_does_what_the_table_says,
     no_key_claims_a_version_that_has_it_not,
     the_manual_has_the_table_and_nothing_else, a_slip_of_the_pen_is_recognized)
