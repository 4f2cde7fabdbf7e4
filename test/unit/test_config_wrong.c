/* SPDX-License-Identifier: MIT */

/* Configurations that are wrong: each is refused with its place and its
 * cause, and none with a crash. */

#include "replica/base/stream.h"
#include "test/lib/config_fixture.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#define DB "dbs:\n- path: /a\n  "
#define IN_REPLICA DB "replica:\n    "

static const struct {
	const char *text;
	const char *why; /* begins with line:column, or has no place */
} wrong[] = {
	/* not YAML */
	{"dbs: [", ":2:1: not YAML: did not find expected node content"},
	{"dbs:\n\t- path: /a\n", ":2:1: not YAML: found character that cannot"},
	{"dbs: 'open\n", "not YAML: found unexpected end of stream"},
	{"dbs:\n- path: /a\n path: /b\n", ":3:2: not YAML"},
	{"a: b: c\n", ":1:5: not YAML: mapping values are not allowed"},
	{"dbs: *nowhere\n", ":1:6: not YAML: found undefined alias"},
	{"dbs: \xff\xfe\n", "not YAML: invalid leading UTF-8 octet"},
	{"dbs: \x01\n", "not YAML: control characters are not allowed"},
	{"dbs: []\n---\ndbs: []\n", ":2:1: a second document"},
	{"dbs: !!binary [\n", "not YAML"},
	/* not a configuration */
	{"hello\n", ":1:1: expected keys such as 'dbs:', found a text"},
	{"- a\n", ":1:1: expected keys such as 'dbs:', found a list"},
	{"? [a]\n: b\n", ":1:3: a key is expected here, found a list"},
	{"dbs: 1\n", ":1:6: dbs: expected a list"},
	{"dbs: {path: /a}\n", ":1:6: dbs: expected a list"},
	{"dbs: [a]\n", ":1:7: dbs: expected an entry with keys, found a text"},
	{"logging: info\n", ":1:10: logging: expected keys of its own"},
	{"retention: 24h\n", ":1:12: retention: expected keys of its own"},
	/* unknown, twice */
	{"database: /a\n", ":1:1: unknown key 'database' in the file"},
	{DB "replica:\n    paht: /m\n",
         ":4:5: unknown key 'paht' in a replica: do you mean 'path'?"},
	{DB "rpelica: []\n",
         ":3:3: unknown key 'rpelica' in a database: do you mean 'replica'?"},
	{"logging: {levle: info}\n", ":1:11: unknown key 'levle' in logging"},
	{"dbs: []\naddr: x\ndbs: []\n",
         ":3:1: dbs stands here twice (first at line 1)"},
	{DB "path: /b\n", ":3:3: path stands here twice"},
	/* wrong values */
	{IN_REPLICA "path: [/m]\n",
         ":4:11: path: expected a text, found a list"},
	{IN_REPLICA "path: /m\n    sync-interval: banana\n",
         ":5:20: sync-interval: expected a duration such as 10s, 5m or 24h, "
         "found 'banana'"},
	{IN_REPLICA "path: /m\n    retention: -1h\n", ":5:16: retention:"},
	{IN_REPLICA "path: /m\n    sync-interval: 10\n",
         ":5:20: sync-interval"},
	{IN_REPLICA "url: s3://b/a\n    skip-verify: maybe\n",
         ":5:18: skip-verify: expected true or false, found 'maybe'"},
	{IN_REPLICA "path: /m\n    secret-access-key: [hunter2]\n",
         ":5:24: secret-access-key: expected a text, found a list"},
	{DB "min-checkpoint-page-count: many\n",
         ":3:30: min-checkpoint-page-count: expected a number"},
	{DB "durability: always\n  replica: {path: /m}\n",
         ":3:15: durability: 'always' is not a value of it"},
	{DB "compression: gzip\n  replica: {path: /m}\n",
         ":3:16: compression: 'gzip' is not a value of it"},
	{DB "max-local-bytes: lots\n",
         ":3:20: max-local-bytes: expected a size"},
	{DB "force-wal: 2\n", ":3:14: force-wal: expected true or false"},
	{"logging: {level: loud}\n", ":1:18: level: expected error, warn"},
	{"logging: {type: xml}\n", ":1:17: type: expected text or json"},
	{"shutdown-sync-timeout: 5\n",
         ":1:24: shutdown-sync-timeout: expected"},
	/* databases that are none */
	{"dbs:\n- replica: {path: /m}\n", ":2:3: this database has no path"},
	{"dbs:\n- path: /a\n", ":2:3: this database has no replica"},
	{DB "replicas: []\n", ":2:3: this database has no replica"},
	{DB "dir: /d\n", ":3:8: dir: there is a path, too"},
	{"dbs:\n- dir: /d\n  replica: {path: /m}\n",
         ":2:8: dir: a pattern is needed"},
	{DB "watch: true\n  replica: {path: /m}\n",
         ":2:3: watch and meta-dir are for an entry with 'dir'"},
	{DB "replica: {path: /m}\n  replicas: [{path: /n}]\n",
         ":4:13: replicas: there is a 'replica', too"},
	{DB "replica: {path: /m}\n- path: //a/\n  replica: {path: /n}\n",
         ":4:3: the path /a is also that of the database at line 2"},
	{DB "replica: {path: /m}\n- path: /b\n  replica: {path: /m/}\n",
         ":4:3: the replica /m is also that of the database at line 2"},
	{DB "restore-if-db-not-exists: true\n",
         ":3:3: restore-if-db-not-exists: an open restores nothing"},
	/* replicas that are none */
	{DB "replicas: [{path: /m}, {path: /n}]\n",
         ":3:26: another replica of this database has the name 'file'"},
	{DB "replicas: [{path: /m}, {path: /m, name: b}]\n",
         ":3:26: another replica of this database has the name 'b' or the same "
         "place"},
	{DB "replica: {type: s3}\n", ":3:12: a replica of type s3 needs a url"},
	{DB "replica: {type: file}\n",
         ":3:12: a replica of type file needs a path"},
	{DB "replica: {type: ftp, path: /m}\n", ":3:19: unknown type 'ftp'"},
	{DB "replica: {type: gcs, bucket: b}\n",
         ":3:19: replicas of type gcs are not written: use type s3"},
	{DB "replica: {url: sftp://h/x}\n",
         ":3:18: replicas of type sftp are not written: mount the host"},
	{DB "replica: {url: /m}\n", ":3:18: url: expected s3://"},
	{DB "replica: {path: s3://b/x}\n", ":3:19: path: 's3://b/x' is a URL"},
	{DB "replica: {path: 's3:/b/x'}\n",
         ":3:19: path: 's3:/b/x' is no URL, which has :// and goes into 'url'"},
	{DB "replica: {path: 'file:x'}\n", ":3:19: path: 'file:x' is no URL"},
	{DB "replica: {url: s3://b/x, path: /y}\n",
         ":3:34: path: there is a url, too"},
	{DB "replica: {url: s3://b/x, bucket: y}\n",
         ":3:36: bucket: there is a url, too"},
	{IN_REPLICA "host: h\n", ":4:5: host: replicas are directories and S3"},
	{IN_REPLICA "age: {recipients: [x]}\n",
         ":4:5: age: objects are not encrypted here"},
	{IN_REPLICA "sse-customer-key: k\n", ":4:5: sse-customer-key:"},
	{DB "replica: {<<: 1, path: /m}\n", ":3:17: <<: expected an alias"},
};

static void is_refused(const char *text, size_t n, const char *want)
{
	struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;

	ck_assert_msg(config_try(text, n, &file, &why) == -EINVAL,
	              "accepted: %.200s", text);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, want) != NULL,
	              "%.200s\nis refused with %s\nnot %s", text, why, want);
	ck_assert_ptr_nonnull(strstr(why, "/c.yml:"));
	ck_assert_ptr_null(strstr(why, "hunter2"));
}

START_TEST(each_is_refused_with_its_place_and_cause)
{
	auto_scratch char *dir = scratch_enter();
	size_t n = sizeof wrong / sizeof *wrong;

	ck_assert_uint_ge(n, 50);
	for (size_t i = 0; i < n; i++)
		is_refused(wrong[i].text, strlen(wrong[i].text), wrong[i].why);
}
END_TEST

/* A cut at any byte is one more that must not crash; some are right. */
START_TEST(no_cut_of_a_file_does_harm)
{
	static const char text[] =
		"access-key-id: &k key\nsecret-access-key: *k\n"
		"logging: {level: info, type: json}\n" DB
		"replicas:\n  - &r {path: /m}\n"
		"  - {<<: *r, url: 's3://b/x?region=r', path: ~}\n";
	auto_scratch char *dir = scratch_enter();

	for (size_t n = 0; n < sizeof text; n++) {
		auto_config struct lsv_config_file *file = NULL;
		auto_free char *why = NULL;
		int r = config_try(text, n, &file, &why);

		ck_assert(r == 0 || (r == -EINVAL && why));
	}
}
END_TEST

static void repeat(struct lsv_buf *buf, const char *text, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(lsv_buf_append(buf, text, strlen(text)), 0);
}

/* 'head', n times 'text', 'tail'. */
static void is_refused_many(const char *head, const char *text, int n,
                            const char *tail, const char *want)
{
	auto_buf struct lsv_buf buf = {0};

	repeat(&buf, head, 1);
	repeat(&buf, text, n);
	repeat(&buf, tail, 1);
	is_refused((const char *)buf.data, buf.n, want);
}

START_TEST(what_is_too_much_is_refused)
{
	auto_scratch char *dir = scratch_enter();

	is_refused_many("dbs: ", "[", 5000, "", "nested too deep");
	is_refused_many("", "- ", 5000, "x", "nested too deep");
	is_refused_many("dbs: [", "&a 1,", 2000, "]", "too many anchors");
	is_refused_many("# ", "x", 1 << 20, "\n", "too large");
	is_refused_many("dbs: [", "1,", 500000, "]", "too large");
}
END_TEST

/* Nine lines that come to a billion keys. */
START_TEST(a_bomb_of_aliases_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	auto_buf struct lsv_buf buf = {0};

	repeat(&buf,
	       "dbs:\n- &d\n  path: /a\n  replicas: &rs\n  - &r {path: /m}"
	       "\n",
	       1);
	repeat(&buf, "  - *r\n", 400);
	repeat(&buf, "- *d\n", 500);
	is_refused((const char *)buf.data, buf.n, "");
}
END_TEST

START_TEST(a_bomb_of_merges_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	auto_buf struct lsv_buf buf = {0};

	repeat(&buf, "levels:\n- &l {interval: 1s}\n- &m {<<: [", 1);
	repeat(&buf, "*l,", 400);
	repeat(&buf, "*l]}\n", 1);
	repeat(&buf, "- *m\n", 500);
	is_refused((const char *)buf.data, buf.n, "too much: its aliases");
}
END_TEST

/* An anchor within itself is a tree without an end. */
START_TEST(a_loop_of_aliases_ends)
{
	static const struct {
		const char *text, *why;
	} loops[] = {
		{"dbs: &b\n- *b\n", "dbs: expected an entry with keys"},
		{"&a\nlevels: [*a]\n", "unknown key 'levels' in a level"},
		{"&a\n<<: *a\nx: 1\n", "unknown key 'x'"},
	};
	auto_scratch char *dir = scratch_enter();

	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
		is_refused(loops[i].text, strlen(loops[i].text), loops[i].why);
	/* What has nothing but itself in it has nothing. */
	lsv_config_file_free(config_read("levels: &b [{<<: *b}]\n"));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_says_so)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_config_file *file = NULL;
	auto_free char *gone = NULL, *folder = NULL;
	bool is_required = false;

	ck_assert_int_eq(lsv_config_file_read("gone.yml", true, &file, &gone,
	                                      &is_required),
	                 -ENOENT);
	ck_assert_ptr_nonnull(
		strstr(gone, "gone.yml: cannot read it: No such"));
	ck_assert_int_eq(
		lsv_config_file_read(".", true, &file, &folder, &is_required),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(folder, "it is no regular file"));
	ck_assert(!is_required);
}
END_TEST

/* Of a file that is wrong elsewhere, too. */
START_TEST(require_config_counts_as_far_as_it_can_be_read)
{
	auto_scratch char *dir = scratch_enter();
	static const char text[] = "require-config: true\nbogus: 1\n";
	struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	bool is_required = false;

	ck_assert_int_eq(lsv_file_replace("c.yml", text, strlen(text), 0600),
	                 0);
	ck_assert_int_eq(
		lsv_config_file_read("c.yml", true, &file, &why, &is_required),
		-EINVAL);
	ck_assert(is_required);
}
END_TEST

UNIT(config_wrong, each_is_refused_with_its_place_and_cause,
     no_cut_of_a_file_does_harm, what_is_too_much_is_refused,
     a_bomb_of_aliases_is_refused, a_bomb_of_merges_is_refused,
     a_loop_of_aliases_ends, a_file_that_cannot_be_read_says_so,
     require_config_counts_as_far_as_it_can_be_read)
