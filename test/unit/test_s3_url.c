/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_url.h"
#include "replica/store/url.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "bucket prefix region endpoint style", "-" for what is not there. */
static void is(const char *url, const struct lsv_client_options *options,
               const char *expected)
{
	struct lsv_s3_place place;
	char why[LSV_S3_WHY_SIZE];
	char *text;
	int r = lsv_s3_place_parse(url, options, &place, why);

	ck_assert_msg(r == 0, "%s: %s", url, why);
	ck_assert_int_gt(asprintf(&text, "%s %s %s %s %s", place.bucket,
	                          *place.prefix ? place.prefix : "-",
	                          place.region ? place.region : "-",
	                          place.endpoint ? place.endpoint : "-",
	                          place.is_path_style ? "path" : "host"),
	                 0);
	ck_assert_str_eq(text, expected);
	free(text);
	lsv_s3_place_free(&place);
}

START_TEST(hosts_say_what_they_say_to_litestream)
{
	static const char *const table[][2] = {
		{"s3://b/a/db", "b a/db - - host"},
		{"s3://b", "b - - - host"},
		{"s3://b/", "b - - - host"},
		{"S3://my.bucket/x", "my.bucket x - - host"},
		{"s3://mybkt.localhost:9000/test.db",
	         "mybkt test.db us-east-1 http://localhost:9000 path"},
		{"s3://mybkt.localhost/db",
	         "mybkt db us-east-1 http://localhost path"},
		{"s3://a.b.localhost:9000/db",
	         "a.b db us-east-1 http://localhost:9000 path"},
		{"s3://bkt.minio.lan:9000/db",
	         "bkt db us-east-1 http://minio.lan:9000 path"},
		{"s3://b.s3.amazonaws.com/db", "b db - - host"},
		{"s3://my.b.s3.eu-west-3.amazonaws.com/db",
	         "my.b db eu-west-3 - host"},
		{"s3://b.s3.us-west-000.backblazeb2.com/db",
	         "b db us-west-000 https://s3.us-west-000.backblazeb2.com "
	         "path"},
		{"s3://b.s3.filebase.com/db",
	         "b db us-east-1 https://s3.filebase.com path"},
		{"s3://b.nyc3.digitaloceanspaces.com/db",
	         "b db nyc3 https://nyc3.digitaloceanspaces.com path"},
		{"s3://b.s3.nl-ams.scw.cloud/db",
	         "b db nl-ams https://s3.nl-ams.scw.cloud path"},
		{"s3://b.us-east-1.linodeobjects.com/db",
	         "b db us-east-1 https://us-east-1.linodeobjects.com path"},
		{"s3://b.s3.eu-central-1.wasabisys.com/db",
	         "b db eu-central-1 https://s3.eu-central-1.wasabisys.com "
	         "path"},
		{"s3://b.s3.wasabisys.com/db",
	         "b db us-east-1 https://s3.wasabisys.com path"},
		{"s3://b.0123.r2.cloudflarestorage.com/db",
	         "b db auto https://0123.r2.cloudflarestorage.com path"},
		{"s3://b.fly.storage.tigris.dev/db",
	         "b db auto https://fly.storage.tigris.dev path"},
		{"s3://b.storage.googleapis.com/db",
	         "b db auto https://storage.googleapis.com path"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		is(table[i][0], NULL, table[i][1]);
}
END_TEST

START_TEST(a_query_has_the_last_word)
{
	static const char *const table[][2] = {
		{"s3://b/p?endpoint=http://10.0.0.5:9000&region=eu",
	         "b p eu http://10.0.0.5:9000 path"},
		{"s3://b/p?endpoint=10.0.0.5:9000/",
	         "b p - http://10.0.0.5:9000 path"},
		{"s3://b/p?endpoint=s3.example.com",
	         "b p - https://s3.example.com path"},
		{"s3://b/p?endpoint=https%3A%2F%2Fx.supabase.co/storage/v1/s3",
	         "b p - https://x.supabase.co/storage/v1/s3 path"},
		{"s3://b/p?endpoint=s3.example.com&force-path-style=false",
	         "b p - https://s3.example.com host"},
		{"s3://b/p?endpoint=s3.example.com&forcePathStyle=no",
	         "b p - https://s3.example.com host"},
		{"s3://b/p?force-path-style=true&region=eu-west-1",
	         "b p eu-west-1 - path"},
		{"s3://b.nyc3.digitaloceanspaces.com/p?region=x&",
	         "b p x https://nyc3.digitaloceanspaces.com path"},
		{"s3://b?region=r&sign-payload=true&concurrency=2",
	         "b - r - host"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		is(table[i][0], NULL, table[i][1]);
}
END_TEST

START_TEST(options_stand_between_host_and_query)
{
	struct lsv_client_options options = {
		.region = (char[]){"eu"},
		.endpoint = (char[]){"s3.example.com"},
	};

	is("s3://b/p", &options, "b p eu https://s3.example.com path");
	is("s3://b.localhost:9/p", &options,
	   "b p eu https://s3.example.com path");
	is("s3://b/p?region=q&endpoint=localhost:9", &options,
	   "b p q http://localhost:9 path");
	options.force_path_style = LSV_CHOICE_NO;
	is("s3://b/p", &options, "b p eu https://s3.example.com host");
	is("s3://b/p?force-path-style=1", &options,
	   "b p eu https://s3.example.com path");
}
END_TEST

START_TEST(a_prefix_is_a_clean_path)
{
	is("s3://b//a///b/./c/../d/", NULL, "b a/b/d - - host");
	is("s3://b/../..", NULL, "b - - - host");
	is("s3://b/a%20b%2Fc%25", NULL, "b a b/c% - - host");
}
END_TEST

START_TEST(the_rest_of_the_options_is_kept)
{
	struct lsv_client_options options = {
		.sse = (char[]){"AES256"},
		.ca_file = (char[]){"/ca"},
		.skip_verify = true,
	};
	struct lsv_s3_place place, copy;
	char why[LSV_S3_WHY_SIZE];

	ck_assert_int_eq(lsv_s3_place_parse("s3://b/p?part-size=5242880&"
	                                    "storage-class=GLACIER",
	                                    &options, &place, why),
	                 0);
	ck_assert_int_eq(lsv_s3_place_copy(&place, &copy), 0);
	lsv_s3_place_free(&place);
	ck_assert_str_eq(copy.sse, "AES256");
	ck_assert_str_eq(copy.ca_file, "/ca");
	ck_assert_str_eq(copy.storage_class, "GLACIER");
	ck_assert_uint_eq(copy.part_size, 5242880);
	ck_assert(copy.skip_verify);
	lsv_s3_place_free(&copy);
	ck_assert_int_eq(lsv_s3_place_parse("s3://b?sse-kms-key-id=k&"
	                                    "skip-verify=false",
	                                    NULL, &place, why),
	                 0);
	ck_assert_str_eq(place.sse, "aws:kms");
	ck_assert_str_eq(place.sse_kms_key_id, "k");
	ck_assert(!place.skip_verify);
	lsv_s3_place_free(&place);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	static const char *const table[][2] = {
		{"s3://", "no bucket"},
		{"s3:///p", "no bucket"},
		{"s3://localhost:9000/p", "no bucket"},
		{"s3://id:secret@b/p", "no place for secrets"},
		{"s3://id:sec/ret@b/p", "a port is a number"},
		{"s3://b/p?endpoint=http://id:secret@b",
	         "no place for secrets"},
		{"s3://b/p?access-key-id=x", "'access-key-id'"},
		{"s3://b/p?x", "'x'"},
		{"s3://b/p?skip-verify=maybe", "skip-verify"},
		{"s3://b/p?force-path-style=maybe", "force-path-style"},
		{"s3://b/p?part-size=5", "part-size"},
		{"s3://b/p?part-size=5MB", "part-size"},
		{"s3://b/p?concurrency=many", "concurrency"},
		{"s3://b/%zz", "hexadecimal"},
		{"s3://b/p?region=%zz", "region"},
		{"http://b", "s3://"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_s3_place place;
		char why[LSV_S3_WHY_SIZE];

		ck_assert_int_eq(
			lsv_s3_place_parse(table[i][0], NULL, &place, why),
			-EINVAL);
		ck_assert_msg(strstr(why, table[i][1]) != NULL, "%s: %s",
		              table[i][0], why);
		ck_assert_ptr_null(strstr(why, "secret@"));
	}
}
END_TEST

START_TEST(no_key_is_shown)
{
	static const char *const table[][2] = {
		{"s3://b.h:9000/p@q?region=r", "s3://b.h:9000/p@q"},
		{"s3://id:secret@b/p", "s3://b/p"},
		{"s3://id:sec/ret@b/p?x", "s3://b/p"},
		{"s3://b/p?secret-access-key=secret", "s3://b/p"},
		{"http://id:secret@b/p", "http://b/p"},
		{"file:///a/b@c?secret", "file:///a/b@c"},
		{"/a?b@c", "/a?b@c"},
		{"s3://", "s3://"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[LSV_URL_SHOWN_SIZE];

		lsv_url_show(table[i][0], text, sizeof text);
		ck_assert_str_eq(text, table[i][1]);
	}
}
END_TEST

UNIT(s3_url, no_key_is_shown, hosts_say_what_they_say_to_litestream,
     a_query_has_the_last_word, options_stand_between_host_and_query,
     a_prefix_is_a_clean_path, the_rest_of_the_options_is_kept,
     what_is_wrong_is_named)
