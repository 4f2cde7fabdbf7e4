/* SPDX-License-Identifier: MIT */

/* AWS's published vectors: its Signature Version 4 test suite, and the
 * examples of "Authenticating Requests: Using the Authorization Header" in
 * the S3 API reference. */

#include "replica/store/digest.h"
#include "replica/store/sigv4.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void ends_with(const struct lsv_sigv4 *request, const char *key_id,
                      const char *secret, const char *expected)
{
	auto_free char *header = NULL;

	ck_assert_int_eq(lsv_sigv4_sign(request, key_id, secret, &header), 0);
	ck_assert_uint_gt(strlen(header), strlen(expected));
	ck_assert_str_eq(header + strlen(header) - strlen(expected), expected);
}

static void vector(const char *method, const char *path, const char *query,
                   const char *const *headers, const char *expected)
{
	const struct lsv_sigv4 request = {
		.method = method,
		.path = path,
		.query = query,
		.headers = headers,
		.body_sha256 = EMPTY,
		.region = "us-east-1",
		.service = "service",
	};

	ends_with(&request, "AKIDEXAMPLE",
	          "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", expected);
}

START_TEST(the_test_suite_of_aws_is_signed_as_it_says)
{
	static const char *const plain[] = {"host:example.amazonaws.com",
	                                    "x-amz-date:20150830T123600Z",
	                                    NULL};
	static const char *const blanks[] = {
		"x-amz-date:20150830T123600Z", "my-header2: \"a   b   c\"",
		"host:example.amazonaws.com", "my-header1: value1", NULL};

	vector("GET", "/", "", plain,
	       "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
	       "SignedHeaders=host;x-amz-date, Signature="
	       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	       "1");
	vector("POST", "/", "", plain,
	       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6"
	       "b");
	vector("GET", "/", "Param1=value1&Param2=value2", plain,
	       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf250"
	       "0");
	vector("GET", "/", "", blanks,
	       "SignedHeaders=host;my-header1;my-header2;x-amz-date, Signature="
	       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c73"
	       "6");
}
END_TEST

static void s3(const char *method, const char *path, const char *query,
               const char *const *headers, const char *sha256,
               const char *signature)
{
	const struct lsv_sigv4 request = {
		.method = method,
		.path = path,
		.query = query,
		.headers = headers,
		.body_sha256 = sha256,
		.region = "us-east-1",
		.service = "s3",
	};

	ends_with(&request, "AKIAIOSFODNN7EXAMPLE",
	          "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", signature);
}

START_TEST(the_examples_of_s3_are_signed_as_they_say)
{
	static const char *const get[] = {
		"host: examplebucket.s3.amazonaws.com", "range: bytes=0-9",
		("x-amz-content-sha256: " EMPTY),
		"x-amz-date: 20130524T000000Z", NULL};
	static const char *const bucket[] = {
		"host: examplebucket.s3.amazonaws.com",
		("x-amz-content-sha256: " EMPTY),
		"x-amz-date: 20130524T000000Z", NULL};
	static const char text[] = "Welcome to Amazon S3.";
	char sha256[LSV_SHA256_TEXT_SIZE];
	auto_free char *hashed = NULL;

	s3("GET", "/test.txt", "", get, EMPTY,
	   "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	s3("GET", "/", "lifecycle=", bucket, EMPTY,
	   "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	s3("GET", "/", "max-keys=2&prefix=J", bucket, EMPTY,
	   "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
	ck_assert_int_eq(lsv_sha256_text(text, strlen(text), sha256), 0);
	ck_assert_int_gt(asprintf(&hashed, "x-amz-content-sha256: %s", sha256),
	                 0);
	s3("PUT", "/test%24file.text", "",
	   (const char *const[]){"date: Fri, 24 May 2013 00:00:00 GMT",
	                         "host: examplebucket.s3.amazonaws.com",
	                         "x-amz-date: 20130524T000000Z", hashed,
	                         "x-amz-storage-class: REDUCED_REDUNDANCY",
	                         NULL},
	   sha256,
	   "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}
END_TEST

START_TEST(what_cannot_be_signed_is_refused)
{
	static const char *const table[][4] = {
		{"host: a", NULL},
		{"x-amz-date: 20130524T000000Z", NULL},
		{"host: a", "x-amz-date: 2013", NULL},
		{"host: a", "x-amz-date: 20130524T000000Z", "nothing", NULL},
	};
	struct lsv_sigv4 request = {
		.method = "GET",
		.path = "/",
		.query = "",
		.body_sha256 = EMPTY,
		.region = "us-east-1",
		.service = "s3",
	};
	char *header = NULL;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		request.headers = table[i];
		ck_assert_int_eq(lsv_sigv4_sign(&request, "id", "s", &header),
		                 -EINVAL);
		ck_assert_ptr_null(header);
	}
}
END_TEST

START_TEST(a_query_is_encoded_and_sorted)
{
	struct lsv_query query[] = {{"uploads", NULL},
	                            {"b", "/ =&"},
	                            {"A", "\xc3\xa4~"},
	                            {"b", ""}};
	auto_free char *text = NULL, *none = NULL;

	ck_assert_int_eq(lsv_query_text(query, 4, &text), 0);
	ck_assert_str_eq(text, "A=%C3%A4~&b=&b=%2F%20%3D%26&uploads=");
	ck_assert_int_eq(lsv_query_text(NULL, 0, &none), 0);
	ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(a_path_keeps_its_slashes)
{
	auto_buf struct lsv_buf out = {0};

	ck_assert_int_eq(lsv_uri_encode(&out, "/a b/%41+", true), 0);
	ck_assert_int_eq(lsv_uri_encode(&out, "/", false), 0);
	ck_assert_uint_eq(out.n, strlen("/a%20b/%2541%2B%2F"));
	ck_assert_mem_eq(out.data, "/a%20b/%2541%2B%2F", out.n);
}
END_TEST

START_TEST(digests_and_dates_have_their_texts)
{
	char md5[LSV_MD5_TEXT_SIZE], date[LSV_SIGV4_DATE_SIZE];
	char sha256[LSV_SHA256_TEXT_SIZE];

	ck_assert_int_eq(lsv_md5_text("", 0, md5), 0);
	ck_assert_str_eq(md5, "1B2M2Y8AsgTpgAmY7PhCfg==");
	ck_assert_int_eq(lsv_sha256_text("", 0, sha256), 0);
	ck_assert_str_eq(sha256, EMPTY);
	lsv_sigv4_date(INT64_C(1440938160999999999), date);
	ck_assert_str_eq(date, "20150830T123600Z");
}
END_TEST

UNIT(sigv4, the_test_suite_of_aws_is_signed_as_it_says,
     the_examples_of_s3_are_signed_as_they_say,
     what_cannot_be_signed_is_refused, a_query_is_encoded_and_sorted,
     a_path_keeps_its_slashes, digests_and_dates_have_their_texts)
