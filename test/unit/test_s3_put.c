/* SPDX-License-Identifier: MIT */

/* How an object gets into a bucket: by how many requests, and never onto
 * another one. */

#include "replica/store/s3_multipart.h"
#include "test/lib/s3_fixture.h"

static int put_n(const void *bytes, size_t n, enum lsv_put_mode mode)
{
	auto_reader struct lsv_reader *body = lsv_reader_memory(bytes, n);

	return client->ops->put(client, "x/y", body, 1500000000, mode);
}

static int put(const char *text, enum lsv_put_mode mode)
{
	return put_n(text, strlen(text), mode);
}

#define GUARD "PUT /bkt/a%20b/lsvfs/guard HTTP/1.1\r\n"

START_TEST(a_store_is_asked_once_whether_it_guards_names)
{
	static const char *const answers[] = {
		OK,   TAKEN, /* it is asked */
		OK,          /* the first */
		OK,          /* the second */
		OK,          /* one to replace */
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(put("one", LSV_PUT_NEW), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(asked(i, GUARD));
		ck_assert(asked(i, "\r\nif-none-match: *\r\n"));
	}
	ck_assert(asked(2, "PUT /bkt/a%20b/x/y HTTP/1.1\r\n"));
	ck_assert(asked(2, "\r\nif-none-match: *\r\n"));
	ck_assert(asked(2, "\r\ncontent-md5: +Xwfw1y6lr3k0P0zPiqCdQ==\r\n") ||
	          asked(2, "\r\ncontent-md5: "));
	ck_assert(asked(2, "\r\nx-amz-meta-litestream-timestamp: "
	                   "1970-01-01T00:00:01.500000000Z\r\n"));
	ck_assert(
		asked(2, "\r\nauthorization: AWS4-HMAC-SHA256 Credential=id/"));
	ck_assert(!asked(2, "secret"));
	ck_assert(asked(2, "\r\n\r\none"));
	ck_assert_int_eq(put("two", LSV_PUT_NEXT), 0);
	ck_assert(asked(3, "\r\nif-none-match: *\r\n"));
	ck_assert_int_eq(put("two", LSV_PUT_REPLACE), 0);
	ck_assert(!asked(4, "if-none-match"));
	s3_end();
}
END_TEST

START_TEST(large_objects_are_one_request_each_too)
{
	static const char *const answers[] = {
		TAKEN, /* it was asked by another process already */
		OK,    OK, OK, NULL,
	};
	size_t n = (size_t)1 << 20;
	char *bytes = calloc(1, n);

	ck_assert_ptr_nonnull(bytes);
	s3_begin(answers);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(put_n(bytes, n, LSV_PUT_NEXT), 0);
	ck_assert(asked(0, GUARD));
	for (int i = 1; i <= 3; i++)
		ck_assert(asked(i, "PUT /bkt/a%20b/x/y HTTP/1.1\r\n"));
	free(bytes);
	s3_end();
}
END_TEST

START_TEST(a_store_that_does_not_guard_is_looked_at_before)
{
	static const char *const answers[] = {
		OK,
		OK, /* it went through twice */
		NOT_THERE,
		OK,
		NOT_THERE,
		OK,            /* so each put looks first */
		TEXT_3("") "", /* HEAD: there is one */
		TEXT_3("abc"), /* its bytes */
		TEXT_3("") "",
		TEXT_3("abd"),
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(put("one", LSV_PUT_NEW), 0);
	ck_assert(asked(2, "HEAD /bkt/a%20b/x/y HTTP/1.1\r\n"));
	ck_assert_int_eq(put("two", LSV_PUT_NEW), 0);
	ck_assert(!asked(3, "if-none-match") && !asked(5, "if-none-match"));
	ck_assert_int_eq(put("abc", LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("abc", LSV_PUT_NEW), -EEXIST);
	s3_end();
}
END_TEST

START_TEST(a_store_that_refuses_the_header_gets_it_once)
{
	static const char *const answers[] = {
		"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n",
		NOT_THERE,
		OK,
		NOT_THERE,
		OK,
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(put("one", LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("two", LSV_PUT_NEW), 0);
	ck_assert(asked(0, "if-none-match"));
	ck_assert(!asked(2, "if-none-match") && !asked(4, "if-none-match"));
	s3_end();
}
END_TEST

/* It may be down, or its policy against putting anything twice. */
START_TEST(a_store_that_does_not_tell_is_asked_and_looked_at)
{
	static const char *const answers[] = {
		"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		NOT_THERE,
		OK,
		NOT_THERE,
		OK,
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(put("one", LSV_PUT_NEW), -EAGAIN);
	ck_assert(asked(0, GUARD));
	ck_assert_int_eq(put("one", LSV_PUT_NEW), -EACCES);
	ck_assert(asked(1, GUARD) && asked(2, "HEAD "));
	ck_assert_int_eq(put("one", LSV_PUT_NEW), 0);
	ck_assert(asked(3, GUARD));
	ck_assert_int_eq(put("two", LSV_PUT_NEW), 0);
	for (int i = 4; i < 8; i += 2) {
		ck_assert(asked(i, "HEAD /bkt/a%20b/x/y "));
		ck_assert(asked(i + 1, "if-none-match"));
	}
	s3_end();
}
END_TEST

START_TEST(a_name_that_is_taken_is_fine_with_the_same_bytes)
{
	static const char *const answers[] = {
		TAKEN,                /* it guards */
		TAKEN, TEXT_3("abc"), /* the same */
		TAKEN, TEXT_3("abd"), /* others */
		TAKEN, TEXT_3("abc"), /* it is longer */
		TAKEN, TEXT_3("abc"), /* it is shorter */
		TAKEN, NOT_THERE,     /* gone meanwhile */
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(put("abc", LSV_PUT_NEW), 0);
	ck_assert_int_eq(put("abc", LSV_PUT_NEW), -EEXIST);
	ck_assert_int_eq(put("ab", LSV_PUT_NEW), -EEXIST);
	ck_assert_int_eq(put("abcd", LSV_PUT_NEW), -EEXIST);
	ck_assert_int_eq(put("abc", LSV_PUT_NEW), -EAGAIN);
	s3_end();
}
END_TEST

START_TEST(a_large_object_goes_in_parts)
{
	static const char *const answers[] = {
		TAKEN,
		NOT_THERE,
		"!" CLOSING
		"<InitiateMultipartUploadResult><UploadId>a/b</UploadId>"
		"</InitiateMultipartUploadResult>",
		PART,
		"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
		PART,
		"!" CLOSING "<CompleteMultipartUploadResult><ETag>e</ETag>"
		"</CompleteMultipartUploadResult>",
		NULL,
	};
	size_t n = ((size_t)5 << 20) + 3;
	char *bytes = calloc(1, n);

	ck_assert_ptr_nonnull(bytes);
	s3_begin_at("&part-size=5242880&storage-class=S&sse=AES256", answers);
	memcpy(bytes + n - 3, "end", 3);
	ck_assert_int_eq(put_n(bytes, n, LSV_PUT_NEW), 0);
	ck_assert(asked(2, "POST /bkt/a%20b/x/y?uploads= HTTP/1.1\r\n"));
	ck_assert(asked(2, "\r\nx-amz-storage-class: S\r\n"));
	ck_assert(asked(2, "\r\nx-amz-server-side-encryption: AES256\r\n"));
	ck_assert(asked(3, "?partNumber=1&uploadId=a%2Fb "));
	ck_assert(asked(3, "\r\nContent-Length: 5242880\r\n"));
	ck_assert(asked(5, "?partNumber=2&uploadId=a%2Fb "));
	ck_assert(asked(5, "\r\n\r\nend"));
	ck_assert(asked(6, "<Part><PartNumber>2</PartNumber><ETag>\"e\"</ETag>"
	                   "</Part></CompleteMultipartUpload>"));
	ck_assert(asked(6, "\r\nif-none-match: *\r\n"));
	free(bytes);
	s3_end();
}
END_TEST

START_TEST(parts_of_an_upload_that_fails_are_thrown_away)
{
	static const char *const answers[] = {
		TAKEN,
		NOT_THERE,
		"!" CLOSING
		"<InitiateMultipartUploadResult><UploadId>i</UploadId>"
		"</InitiateMultipartUploadResult>",
		PART,
		PART,
		/* It said yes too early. */
		"!" CLOSING "<Error><Code>InternalError</Code></Error>",
		NO_CONTENT,
		NULL,
	};
	size_t n = ((size_t)5 << 20) + 1;
	char *bytes = calloc(1, n);

	ck_assert_ptr_nonnull(bytes);
	s3_begin_at("&part-size=5242880", answers);
	ck_assert_int_eq(put_n(bytes, n, LSV_PUT_NEW), -EAGAIN);
	ck_assert_ptr_nonnull(strstr(client->why, "InternalError"));
	ck_assert(asked(6, "DELETE /bkt/a%20b/x/y?uploadId=i HTTP/1.1\r\n"));
	free(bytes);
	s3_end();
}
END_TEST

START_TEST(parts_reach_what_an_object_may_have)
{
	static const struct {
		int64_t size;
		uint64_t wanted, part;
	} table[] = {
		{-1, 0, LSV_S3_PART_SIZE},
		{100, 0, LSV_S3_PART_SIZE},
		{100, 5 << 20, 5 << 20},
		{INT64_C(5) << 40, 0, UINT64_C(525) << 20},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_uint_eq(
			lsv_s3_part_size(table[i].size, table[i].wanted),
			table[i].part);
	ck_assert_uint_ge(lsv_s3_part_size(INT64_C(5) << 40, 0) *
	                          LSV_S3_PARTS_MAX,
	                  UINT64_C(5) << 40);
}
END_TEST

UNIT(s3_put, a_store_is_asked_once_whether_it_guards_names,
     large_objects_are_one_request_each_too,
     a_store_that_does_not_tell_is_asked_and_looked_at,
     a_store_that_does_not_guard_is_looked_at_before,
     a_store_that_refuses_the_header_gets_it_once,
     a_name_that_is_taken_is_fine_with_the_same_bytes,
     a_large_object_goes_in_parts,
     parts_of_an_upload_that_fails_are_thrown_away,
     parts_reach_what_an_object_may_have)
