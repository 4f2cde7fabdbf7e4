/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"
#include "replica/ship/config.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

START_TEST(the_defaults_are_the_documented_ones)
{
	struct lsv_config c;

	lsv_config_init(&c);
	ck_assert_ptr_null(c.replica);
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
	ck_assert_str_eq(c.replica, "s3://b/p?x=y");
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

START_TEST(a_copy_owns_its_url)
{
	struct lsv_config from, to;

	lsv_config_init(&from);
	ck_assert_int_eq(lsv_config_set(&from, "replica", "/a"), 0);
	ck_assert_int_eq(lsv_config_copy(&from, &to), 0);
	lsv_config_free(&from);
	ck_assert_str_eq(to.replica, "/a");
	lsv_config_free(&to);
	ck_assert_int_eq(lsv_config_copy(&from, &to), 0);
	ck_assert_ptr_null(to.replica);
}
END_TEST

START_TEST(every_listed_name_can_be_set)
{
	static const char *const values[] = {"1s",    "1",     "lz4",
	                                     "async", "error", "native"};
	struct lsv_config c;
	size_t n = 0;

	lsv_config_init(&c);
	for (const char *const *name = lsv_config_names(); *name; name++, n++) {
		int r = -EINVAL;

		for (size_t i = 0; r < 0 && i < 6; i++)
			r = lsv_config_set(&c, *name, values[i]);
		ck_assert_msg(r == 0, "%s", *name);
	}
	ck_assert_uint_eq(n, 12);
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
     words_are_set_in_order_and_the_wrong_one_is_named, a_copy_owns_its_url,
     every_listed_name_can_be_set, a_url_takes_the_database_into_its_path_only,
     a_url_without_a_place_for_the_database_is_fixed)
