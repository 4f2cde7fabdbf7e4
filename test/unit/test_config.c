/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/ship/config.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

START_TEST(the_defaults_are_the_documented_ones)
{
	struct lsv_config c;

	lsv_config_init(&c);
	ck_assert_uint_eq(c.n_replicas, 0);
	ck_assert_int_eq(c.compression, LSV_LZ4);
	ck_assert_int_eq(c.durability, LSV_DURABILITY_ASYNC);
	ck_assert_int_eq(c.on_timeout, LSV_TIMEOUT_ERROR);
	ck_assert_int_eq(c.checkpoint, LSV_CHECKPOINT_ASSIST);
	ck_assert_int_eq(c.durability_timeout_ns, 30 * LSV_NS_PER_S);
	ck_assert_int_eq(c.sync_interval_ns, LSV_NS_PER_S);
	ck_assert_int_eq(c.snapshot_interval_ns, 0);
	ck_assert_int_eq(c.retention_ns, 86400 * LSV_NS_PER_S);
	ck_assert_int_eq(c.shutdown_timeout_ns, 5 * LSV_NS_PER_S);
	ck_assert_uint_eq(c.max_local_bytes, 0);
	ck_assert(!c.takeover);
}
END_TEST

START_TEST(a_name_takes_its_values_and_no_others)
{
	static const struct {
		const char *name, *value;
		int r;
	} cases[] = {
		{"replica", "/mnt/b", 0},
		{"replica", "", 0},
		{"compression", "lz4", 0},
		{"compression", "zstd", 0},
		{"compression", "gzip", -EINVAL},
		{"compression", "", -EINVAL},
		{"durability", "async", 0},
		{"durability", "replica", 0},
		{"durability", "Replica", -EINVAL},
		{"durability-on-timeout", "degrade", 0},
		{"durability-on-timeout", "wait", -EINVAL},
		{"durability-timeout", "250ms", 0},
		{"checkpoint", "native", 0},
		{"checkpoint", "none", -EINVAL},
		{"sync-interval", "1s", 0},
		{"sync-interval", "1", -EINVAL},
		{"sync-interval", "-1s", -EINVAL},
		{"snapshot-interval", "24h", 0},
		{"retention", "72h", 0},
		{"shutdown-sync-timeout", "0", 0},
		{"max-local-bytes", "0", 0},
		{"max-local-bytes", "64x", -EINVAL},
		{"max-local-bytes", "-1", -EINVAL},
		{"max-local-bytes", "", -EINVAL},
		{"max-local-bytes", "1iB", -EINVAL},
		{"max-local-bytes", "99999999999T", -EINVAL},
		{"takeover", "on", 0},
		{"takeover", "2", -EINVAL},
		{"take-over", "on", -ENOENT},
		{"", "on", -ENOENT},
	};
	struct lsv_config c;

	lsv_config_init(&c);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(lsv_config_set(&c, cases[i].name,
		                             cases[i].value) == cases[i].r,
		              "%s=%s", cases[i].name, cases[i].value);
	lsv_config_free(&c);
}
END_TEST

START_TEST(sizes_have_units)
{
	static const struct {
		const char *text;
		uint64_t n;
	} cases[] = {
		{"4096", 4096},       {"7B", 7},
		{"1K", 1024},         {"1KiB", 1024},
		{"1KB", 1000},        {"64M", 64 << 20},
		{"2GB", 2000000000u}, {"1T", UINT64_C(1) << 40},
	};
	struct lsv_config c;

	lsv_config_init(&c);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(
			lsv_config_set(&c, "max-local-bytes", cases[i].text),
			0);
		ck_assert_msg(c.max_local_bytes == cases[i].n, "%s",
		              cases[i].text);
	}
}
END_TEST

START_TEST(words_are_set_in_order_and_the_wrong_one_is_named)
{
	struct lsv_config c;
	char *bad = NULL;

	lsv_config_init(&c);
	ck_assert_int_eq(
		lsv_config_set_words(&c,
	                             " checkpoint=native\tsync-interval=100ms "
	                             "replica=s3://b/p?x=y\nsync-interval=2s",
	                             &bad),
		0);
	ck_assert_int_eq(c.checkpoint, LSV_CHECKPOINT_NATIVE);
	ck_assert_int_eq(c.sync_interval_ns, 2 * LSV_NS_PER_S);
	ck_assert_str_eq(c.replicas[0].url, "s3://b/p?x=y");
	ck_assert_int_eq(
		lsv_config_set_words(&c, "takeover=1 nonsense=1", &bad),
		-ENOENT);
	ck_assert_str_eq(bad, "nonsense=1");
	free(bad);
	ck_assert_int_eq(lsv_config_set_words(&c, "takeover", &bad), -EINVAL);
	ck_assert_str_eq(bad, "takeover");
	free(bad);
	ck_assert_int_eq(lsv_config_set_words(&c, "retention=x", NULL),
	                 -EINVAL);
	ck_assert_int_eq(lsv_config_set_words(&c, "", NULL), 0);
	lsv_config_free(&c);
}
END_TEST

START_TEST(replica_is_the_short_way_to_say_one)
{
	struct lsv_config c;

	lsv_config_init(&c);
	ck_assert_int_eq(lsv_config_set(&c, "replica", "/a"), 0);
	ck_assert_int_eq(lsv_config_set(&c, "replica", "s3://b/c"), 0);
	ck_assert_uint_eq(c.n_replicas, 1);
	ck_assert_str_eq(c.replicas[0].url, "s3://b/c");
	ck_assert_int_eq(lsv_config_set(&c, "replica", ""), 0);
	ck_assert_uint_eq(c.n_replicas, 0);
	lsv_config_free(&c);
}
END_TEST

/* A replica more, with a name (or NULL) and a URL. */
static int add(struct lsv_config *config, const char *name, const char *url)
{
	struct lsv_replica_config replica;

	lsv_replica_config_init(&replica);
	ck_assert_int_eq(lsv_replica_config_set(&replica, "url", url), 0);
	if (name)
		ck_assert_int_eq(lsv_replica_config_set(&replica, "name", name),
		                 0);
	return lsv_config_add(config, &replica);
}

START_TEST(a_copy_owns_its_replicas)
{
	struct lsv_config from, to;

	lsv_config_init(&from);
	ck_assert_int_eq(add(&from, "near", "/a"), 0);
	ck_assert_int_eq(add(&from, NULL, "s3://b/c"), 0);
	ck_assert_int_eq(lsv_replica_config_set(&from.replicas[1],
	                                        "access-key-id", "id"),
	                 0);
	ck_assert_int_eq(lsv_config_copy(&from, &to), 0);
	lsv_config_free(&from);
	ck_assert_uint_eq(to.n_replicas, 2);
	ck_assert_str_eq(to.replicas[0].name, "near");
	ck_assert_ptr_null(to.replicas[1].name);
	ck_assert_str_eq(to.replicas[1].url, "s3://b/c");
	ck_assert_str_eq(to.replicas[1].options.access_key_id, "id");
	lsv_config_free(&to);
	ck_assert_int_eq(lsv_config_copy(&from, &to), 0);
	ck_assert_uint_eq(to.n_replicas, 0);
}
END_TEST

START_TEST(a_settled_replica_has_a_name_and_all_intervals)
{
	struct lsv_config c;

	lsv_config_init(&c);
	ck_assert_int_eq(add(&c, NULL, "/a/%f"), 0);
	ck_assert_int_eq(add(&c, NULL, "s3://b/%f"), 0);
	ck_assert_int_eq(add(&c, "far", "s3://c"), 0);
	ck_assert_int_eq(
		lsv_replica_config_set(&c.replicas[1], "retention", "0s"), 0);
	/* What is said later of the database still counts. */
	ck_assert_int_eq(lsv_config_set(&c, "sync-interval", "7s"), 0);
	ck_assert_int_eq(lsv_config_expand_all(&c, "/v/a.db"), 0);
	ck_assert_int_eq(lsv_config_settle(&c, NULL), 0);
	ck_assert_str_eq(c.replicas[0].name, "file");
	ck_assert_str_eq(c.replicas[1].name, "s3");
	ck_assert_str_eq(c.replicas[2].name, "far");
	ck_assert_str_eq(c.replicas[0].url, "/a/a.db");
	ck_assert_str_eq(c.replicas[1].url, "s3://b/a.db");
	for (size_t i = 0; i < c.n_replicas; i++) {
		ck_assert_int_eq(c.replicas[i].sync_interval_ns,
		                 7 * LSV_NS_PER_S);
		ck_assert_int_eq(c.replicas[i].snapshot_interval_ns, 0);
		ck_assert_int_eq(c.replicas[i].retention_ns,
		                 i == 1 ? 0 : 86400 * LSV_NS_PER_S);
	}
	lsv_config_free(&c);
}
END_TEST

START_TEST(two_replicas_differ_in_name_and_place)
{
	static const struct {
		const char *name[2], *url[2];
		int r;
	} cases[] = {
		{{NULL, NULL}, {"/a", "/b"}, -EEXIST},
		{{"x", NULL}, {"/a", "/b"}, 0},
		{{"x", "file"}, {"/a", "/b"}, 0},
		{{"file", NULL}, {"s3://a", "/b"}, -EEXIST},
		{{NULL, NULL}, {"file:///a", "/b"}, -EEXIST},
		{{"x", "y"}, {"/a", "/a"}, -EEXIST},
		{{"x", "y"}, {"/a?b", "/a?c"}, 0},
		{{"x", "y"}, {"s3://a/b?region=c", "s3://a/b"}, -EEXIST},
		{{"x", "y"}, {"s3://a/b", "s3://a/bc"}, 0},
		{{"x", "y"}, {"file:///a/./b%20c", "/a//b c/"}, -EEXIST},
		{{"x", "y"}, {"file:///a/b", "/a/c"}, 0},
		{{"x", "y"}, {"file:a", "/a"}, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lsv_config c;
		size_t twin = 0;

		lsv_config_init(&c);
		for (size_t k = 0; k < 2; k++)
			ck_assert_int_eq(
				add(&c, cases[i].name[k], cases[i].url[k]), 0);
		ck_assert_msg(lsv_config_settle(&c, &twin) == cases[i].r,
		              "case %zu", i);
		ck_assert_uint_eq(twin, cases[i].r ? 1 : 0);
		lsv_config_free(&c);
	}
}
END_TEST

START_TEST(a_folder_has_one_text)
{
	static const struct {
		const char *url, *path;
	} cases[] = {
		{"one", "/one"},
		{"./one", "/one"},
		{"x/../one", "/one"},
		{"x//..//one", "/one"},
		{"one/", "/one"},
		{"one/.", "/one"},
		{".", ""},
		/* By its text alone. */
		{"link/one", "/link/one"},
		/* A percent sign of the folder's, and the database's name. */
		{"a%%b/./%f", "/a%%b/%f"},
		/* As many names as the path has. */
		{"%p/../one", "/%p/../one"},
	};
	auto_scratch char *dir = scratch_enter();
	auto_free char *here = getcwd(NULL, 0);
	auto_free char *above = lsv_sprintf("%s/..", here);

	ck_assert_int_eq(symlink(above, "link"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_free char *plain = lsv_sprintf("%s%s", here,
		                                    cases[i].path);
		auto_free char *way = lsv_sprintf("/.%s//%s", here,
		                                  cases[i].url);
		struct lsv_config c;

		lsv_config_init(&c);
		ck_assert_int_eq(add(&c, "a", cases[i].url), 0);
		ck_assert_str_eq(c.replicas[0].url, plain);
		if (!strstr(way, "%p")) {
			ck_assert_int_eq(add(&c, "b", way), 0);
			ck_assert_str_eq(c.replicas[1].url, plain);
		}
		lsv_config_free(&c);
	}
}
END_TEST

START_TEST(there_is_room_for_eight_replicas)
{
	struct lsv_replica_config ninth;
	struct lsv_config c;

	lsv_config_init(&c);
	for (int i = 0; i < LSV_REPLICAS_MAX; i++)
		ck_assert_int_eq(add(&c, NULL, "/a"), 0);
	lsv_replica_config_init(&ninth);
	ck_assert_int_eq(lsv_config_add(&c, &ninth), -E2BIG);
	lsv_config_free(&c);
}
END_TEST

START_TEST(a_replica_takes_its_own_values_and_no_others)
{
	static const struct {
		const char *name, *value;
		int r;
	} cases[] = {
		{"name", "near", 0},
		{"url", "/mnt/b", 0},
		{"sync-interval", "100ms", 0},
		{"sync-interval", "-1s", -EINVAL},
		{"snapshot-interval", "24h", 0},
		{"retention", "soon", -EINVAL},
		{"force-path-style", "true", 0},
		{"force-path-style", "perhaps", -EINVAL},
		{"part-size", "5MiB", 0},
		{"part-size", "6GiB", -EINVAL},
		{"part-size", "0", 0},
		{"part-size", "some", -EINVAL},
		{"concurrency", "4", 0},
		{"concurrency", "-4", -EINVAL},
		{"concurrency", "4x", -EINVAL},
		{"secret-access-key", "s", 0},
		{"secret-access-key", "", 0},
		{"durability", "async", -ENOENT},
	};
	struct lsv_replica_config replica;

	lsv_replica_config_init(&replica);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(lsv_replica_config_set(&replica, cases[i].name,
		                                     cases[i].value) ==
		                      cases[i].r,
		              "%s=%s", cases[i].name, cases[i].value);
	ck_assert_str_eq(replica.name, "near");
	ck_assert_int_eq(replica.sync_interval_ns, LSV_NS_PER_S / 10);
	ck_assert_int_eq(replica.retention_ns, LSV_UNSET_NS);
	ck_assert_int_eq(replica.options.force_path_style, LSV_CHOICE_YES);
	ck_assert_uint_eq(replica.options.part_size, 0);
	ck_assert_uint_eq(replica.options.concurrency, 4);
	ck_assert_ptr_null(replica.options.secret_access_key);
	for (const char *const *name = lsv_replica_config_names(); *name;
	     name++)
		ck_assert_msg(
			lsv_replica_config_set(&replica, *name, "1s") == 0 ||
				lsv_replica_config_set(&replica, *name, "1") ==
					0 ||
				lsv_replica_config_set(&replica, *name,
		                                       "5MiB") == 0,
			"%s", *name);
	lsv_replica_config_free(&replica);
}
END_TEST

START_TEST(every_listed_name_can_be_set)
{
	static const char *const values[] = {"1s",    "1",     "lz4",
	                                     "async", "error", "native"};
	struct lsv_config c;
	const char *name;
	size_t n = 0;

	lsv_config_init(&c);
	for (; (name = lsv_config_name(n)) != NULL; n++) {
		int r = -EINVAL;

		for (size_t i = 0; r < 0 && i < 6; i++)
			r = lsv_config_set(&c, name, values[i]);
		ck_assert_msg(r == 0, "%s", name);
	}
	ck_assert_uint_eq(n, 14);
	lsv_config_free(&c);
}
END_TEST

START_TEST(a_url_takes_the_database_into_its_path_only)
{
	static const struct {
		const char *url, *db, *expanded;
	} cases[] = {
		{"/backup", "/var/a.db", "/backup"},
		{"/backup/%f", "/var/a.db", "/backup/a.db"},
		{"/backup/%p", "/var/a.db", "/backup/var/a.db"},
		{"/backup%p", "/var/a.db", "/backup/var/a.db"},
		{"/100%%/%f", "/a.db", "/100%/a.db"},
		{"/backup/%f", "/var/50% off?.db", "/backup/50% off?.db"},
		{"file:///b/%f", "/var/50% off?.db",
	         "file:///b/50%25%20off%3F.db"},
		{"file:///b%20c/%p", "/v/a b.db", "file:///b%20c/v/a%20b.db"},
		{"file:///100%%/%f", "/a.db", "file:///100%25/a.db"},
		{"s3://b/%f?region=%f", "/v/a.db", "s3://b/a.db?region=%f"},
		{"/b?/%f", "/v/a.db", "/b?/a.db"},
		{"/b/%x", "/v/a.db", NULL},
		{"/b/%20", "/v/a.db", NULL},
		{"s3://b/%zz", "/v/a.db", NULL},
		{"/b/%", "/v/a.db", NULL},
		{"s3://b/%", "/v/a.db", NULL},
		{"s3://b/%2", "/v/a.db", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = lsv_config_expand(cases[i].url, cases[i].db);

		if (cases[i].expanded)
			ck_assert_pstr_eq(text, cases[i].expanded);
		else
			ck_assert_ptr_null(text);
		free(text);
	}
}
END_TEST

START_TEST(a_url_without_a_place_for_the_database_is_fixed)
{
	ck_assert(lsv_config_is_fixed("/backup"));
	ck_assert(lsv_config_is_fixed("/backup/%%f"));
	ck_assert(lsv_config_is_fixed("s3://b/p?x=%f"));
	ck_assert(lsv_config_is_fixed("/b/%"));
	ck_assert(!lsv_config_is_fixed("/backup/%f"));
	ck_assert(!lsv_config_is_fixed("s3://b/%p?x=y"));
}
END_TEST

UNIT(config, the_defaults_are_the_documented_ones,
     a_name_takes_its_values_and_no_others, sizes_have_units,
     words_are_set_in_order_and_the_wrong_one_is_named,
     replica_is_the_short_way_to_say_one, a_copy_owns_its_replicas,
     a_settled_replica_has_a_name_and_all_intervals,
     two_replicas_differ_in_name_and_place, there_is_room_for_eight_replicas,
     a_replica_takes_its_own_values_and_no_others, every_listed_name_can_be_set,
     a_folder_has_one_text, a_url_takes_the_database_into_its_path_only,
     a_url_without_a_place_for_the_database_is_fixed)
