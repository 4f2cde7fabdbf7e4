/* SPDX-License-Identifier: MIT */

/* What the S3 client asks and how it takes the answers, against a server that
 * says what the case wants.  (That real ones agree is test/interop's.) */

#include "test/lib/s3_fixture.h"

static int get(const struct lsv_range *range, char text[64])
{
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&buf);
	int r = client->ops->get(client, "x/y", range, into);

	ck_assert_uint_lt(buf.n, 64);
	if (buf.n)
		memcpy(text, buf.data, buf.n);
	text[buf.n] = 0;
	return r;
}

#define BYTES_2(text) "HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\n" text
#define DIGITS                                                                 \
	"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"                        \
	"0123456789"

START_TEST(a_range_is_what_was_asked_for_whatever_comes)
{
	static const char *const answers[] = {
		DIGITS,
		BYTES_2("34"),
		BYTES_2("89"),
		BYTES_2("89"),
		DIGITS,
		DIGITS,
		DIGITS,
		"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n"
		"\r\n",
		NOT_THERE,
		NULL,
	};
	static const struct lsv_range middle = {.offset = 3, .n = 2};
	static const struct lsv_range rest = {.offset = 8};
	static const struct lsv_range tail = {.n = 2, .from_end = 1};
	char text[64];

	s3_begin(answers);
	ck_assert_int_eq(get(NULL, text), 0);
	ck_assert_str_eq(text, "0123456789");
	ck_assert(!asked(0, "range:"));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(get(&middle, text), 0);
		ck_assert_str_eq(text, "34");
		ck_assert_int_eq(get(&rest, text), 0);
		ck_assert_str_eq(text, "89");
		ck_assert_int_eq(get(&tail, text), 0);
		ck_assert_str_eq(text, "89");
	}
	ck_assert(asked(1, "\r\nrange: bytes=3-4\r\n"));
	ck_assert(asked(2, "\r\nrange: bytes=8-\r\n"));
	ck_assert(asked(3, "\r\nrange: bytes=-2\r\n"));
	ck_assert_int_eq(get(&rest, text), 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(get(NULL, text), -ENOENT);
	s3_end();
}
END_TEST

static int remember(void *arg, const struct lsv_object *object)
{
	struct lsv_buf *names = arg;
	char text[64];

	snprintf(text, sizeof text, "%s %llu %lld\n", object->name,
	         (unsigned long long)object->size, (long long)object->time_ns);
	return lsv_buf_append(names, text, strlen(text));
}

static int list(char text[256])
{
	auto_buf struct lsv_buf names = {0};
	int r = client->ops->list(client, "x/", remember, &names);

	ck_assert_uint_lt(names.n, 256);
	if (names.n)
		memcpy(text, names.data, names.n);
	text[names.n] = 0;
	return r;
}

#define ENTRY(key)                                                             \
	"<Contents><Key>" key "</Key><LastModified>1970-01-01T00:00:01.000Z"   \
	"</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"

START_TEST(a_list_goes_on_to_its_end)
{
	static const char *const answers[] = {
		"!" CLOSING "<?xml version=\"1.0\"?><ListBucketResult>"
		"<EncodingType>url</EncodingType>"
		"<IsTruncated>true</IsTruncated>"
		"<NextContinuationToken>t/1</NextContinuationToken>" ENTRY(
			"a+b/x/1") ENTRY("a+b%2Fx/2") "</ListBucketResult>",
		"!" CLOSING "<ListBucketResult>"
		"<EncodingType>url</EncodingType>"
		"<IsTruncated>false</IsTruncated>" ENTRY(
			"a+b/x/3") "</ListBucketResult>",
		NULL,
	};
	char text[256];

	s3_begin(answers);
	ck_assert_int_eq(list(text), 0);
	ck_assert_str_eq(text, "x/1 7 1000000000\nx/2 7 1000000000\n"
	                       "x/3 7 1000000000\n");
	ck_assert(asked(0, "GET /bkt?encoding-type=url&list-type=2&"
	                   "prefix=a%20b%2Fx%2F HTTP/1.1\r\n"));
	ck_assert(asked(1, "?continuation-token=t%2F1&encoding-type=url&"
	                   "list-type=2&prefix="));
	s3_end();
}
END_TEST

START_TEST(a_store_of_the_first_version_lists_as_well)
{
	static const char *const answers[] = {
		"!" CLOSING "<ListBucketResult>"
		"<IsTruncated>true</IsTruncated>" ENTRY("a b/x/2")
			ENTRY("a b/x/1+") "</ListBucketResult>",
		"!" CLOSING "<ListBucketResult/>",
		NULL,
	};
	char text[256];

	s3_begin(answers);
	ck_assert_int_eq(list(text), 0);
	ck_assert_str_eq(text, "x/1+ 7 1000000000\nx/2 7 1000000000\n");
	ck_assert(asked(1, "&marker=a%20b%2Fx%2F2&"));
	s3_end();
}
END_TEST

START_TEST(what_is_no_list_is_refused)
{
	static const char *const answers[] = {
		"!" CLOSING "<html><body>Welcome</body></html>",
		"!" CLOSING "Welcome",
		"!" CLOSING "<ListBucketResult><Contents></Contents>"
		"</ListBucketResult>",
		"!" CLOSING "<ListBucketResult><IsTruncated>true"
		"</IsTruncated></ListBucketResult>",
		NOT_THERE,
		NULL,
	};
	char text[256];

	s3_begin(answers);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(list(text), -EPROTO);
		ck_assert_ptr_nonnull(strstr(client->why, "S3 endpoint"));
	}
	ck_assert_int_eq(list(text), -ENXIO);
	ck_assert_ptr_nonnull(strstr(client->why, "404; "));
	s3_end();
}
END_TEST

#define REFUSAL(status, code, more)                                            \
	"!HTTP/1.1 " status "\r\n" more "Connection: close\r\n\r\n"            \
	"<Error><Code>" code "</Code><Message>m</Message></Error>"

START_TEST(what_a_store_corrects_is_learned)
{
	static const char *const answers[] = {
		REFUSAL("400 Bad Request", "AuthorizationHeaderMalformed",
	                "x-amz-bucket-region: eu-west-3\r\n"),
		REFUSAL("403 Forbidden", "RequestTimeTooSkewed",
	                "Date: Tue, 24 Nov 2043 17:51:21 GMT\r\n"),
		NO_CONTENT,
		NO_CONTENT,
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(client->ops->remove(client, "x"), 0);
	ck_assert(asked(0, "/us-east-1/s3/aws4_request"));
	ck_assert(asked(1, "/eu-west-3/s3/aws4_request"));
	ck_assert(asked(2, "\r\nx-amz-date: 20431124T1"));
	ck_assert_int_eq(client->ops->remove(client, "x"), 0);
	ck_assert(asked(3, "\r\nx-amz-date: 20431124T1"));
	ck_assert(asked(3, "/eu-west-3/s3/aws4_request"));
	s3_end();
}
END_TEST

START_TEST(a_refusal_has_its_errno_and_its_remedy)
{
	static const char *const answers[] = {
		REFUSAL("403 Forbidden", "AccessDenied", ""),
		REFUSAL("403 Forbidden", "SignatureDoesNotMatch", ""),
		REFUSAL("404 Not Found", "NoSuchBucket", ""),
		REFUSAL("503 Slow Down", "SlowDown", ""),
		REFUSAL("429 Too Many Requests", "TooManyRequests", ""),
		REFUSAL("500 Internal", "InternalError", ""),
		REFUSAL("400 Bad Request", "RequestTimeout", ""),
		REFUSAL("400 Bad Request", "SomethingElse", ""),
		"!HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\n"
		"\r\n",
		NULL,
	};
	static const struct {
		int r;
		const char *why;
	} table[] = {
		{-EACCES, "policy"},
		{-EACCES, "secret access key"},
		{-ENXIO, "create the bucket"},
		{-EAGAIN, "fewer requests"},
		{-EAGAIN, "429"},
		{-EAGAIN, "InternalError"},
		{-EAGAIN, "RequestTimeout"},
		{-EPROTO, "SomethingElse, m"},
		{-EPROTO, "302"},
	};
	char text[64];

	s3_begin(answers);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		ck_assert_int_eq(get(NULL, text), table[i].r);
		ck_assert_msg(strstr(client->why, table[i].why) != NULL, "%s",
		              client->why);
	}
	s3_end();
}
END_TEST

START_TEST(a_clone_knows_what_the_first_one_learned)
{
	static const char *const answers[] = {
		"!HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
		"x-amz-bucket-region: eu\r\n\r\n",
		"!" NO_CONTENT,
		"!" NO_CONTENT,
		NULL,
	};
	struct lsv_client *clone;

	s3_begin(answers);
	ck_assert_int_eq(client->ops->remove(client, "x"), 0);
	ck_assert_int_eq(client->ops->clone(client, &clone), 0);
	lsv_client_close(client);
	client = clone;
	ck_assert_int_eq(client->ops->remove(client, "x"), 0);
	ck_assert(asked(2, "/eu/s3/aws4_request"));
	s3_end();
}
END_TEST

#define DELETED                                                                \
	"!" CLOSING "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/"       \
	"2006-03-01/\"></DeleteResult>"
#define NOT_DELETED(code)                                                      \
	"!" CLOSING "<DeleteResult><Error><Key>a b/x</Key><Code>NoSuchKey"     \
	"</Code></Error><Error><Key>a b/y</Key><Code>" code                    \
	"</Code><Message>no</Message></Error></DeleteResult>"

static int remove_three(void)
{
	static const char *const names[] = {"x", "y", "<&>"};

	return client->ops->remove_some(client, names, 3);
}

START_TEST(many_go_in_one_request)
{
	static const char *const answers[] = {
		DELETED,
		NOT_DELETED("NoSuchKey"),
		NOT_DELETED("AccessDenied"),
		NOT_DELETED("InternalError"),
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(remove_three(), 0);
	ck_assert(asked(0, "POST /bkt?delete= HTTP/1.1\r\n"));
	ck_assert(asked(0, "\r\ncontent-md5: "));
	ck_assert(asked(0, "<Quiet>true</Quiet><Object><Key>a b/x</Key>"
	                   "</Object><Object><Key>a b/y</Key></Object>"
	                   "<Object><Key>a b/&lt;&amp;&gt;</Key></Object>"));
	ck_assert_int_eq(remove_three(), 0);
	ck_assert_int_eq(remove_three(), -EACCES);
	ck_assert_ptr_nonnull(strstr(client->why, "a b/y: "));
	ck_assert_int_eq(remove_three(), -EAGAIN);
	s3_end();
}
END_TEST

START_TEST(many_go_one_by_one_where_the_store_cannot_do_better)
{
	static const char *const answers[] = {
		REFUSAL("503 Slow Down", "SlowDown", ""),
		"!" CLOSING "<html>what?</html>",
		REFUSAL("403 Forbidden", "AccessDenied", ""),
		REFUSAL("501 Not Implemented", "NotImplemented", ""),
		NO_CONTENT,
		NOT_THERE,
		NO_CONTENT,
		NO_CONTENT, /* from now on */
		NO_CONTENT,
		NO_CONTENT,
		NULL,
	};

	s3_begin(answers);
	ck_assert_int_eq(remove_three(), -EAGAIN);
	ck_assert_int_eq(remove_three(), -EACCES);
	ck_assert_int_eq(remove_three(), 0);
	ck_assert(asked(3, "POST /bkt?delete= "));
	ck_assert(asked(4, "DELETE /bkt/a%20b/x "));
	ck_assert_int_eq(remove_three(), 0);
	ck_assert(asked(7, "DELETE /bkt/a%20b/x "));
	s3_end();
}
END_TEST

START_TEST(a_url_with_secrets_is_refused)
{
	ck_assert_int_eq(lsv_client_s3("s3://id:secret@bkt/p", NULL, &client),
	                 -EINVAL);
}
END_TEST

UNIT(client_s3, a_range_is_what_was_asked_for_whatever_comes,
     a_list_goes_on_to_its_end, a_store_of_the_first_version_lists_as_well,
     what_is_no_list_is_refused, what_a_store_corrects_is_learned,
     a_refusal_has_its_errno_and_its_remedy,
     a_clone_knows_what_the_first_one_learned, many_go_in_one_request,
     many_go_one_by_one_where_the_store_cannot_do_better,
     a_url_with_secrets_is_refused)
