/* SPDX-License-Identifier: MIT */
#include "replica/store/http.h"
#include "replica/store/http_header.h"
#include "test/lib/http_server.h"

#include <errno.h>
#include <time.h>

static struct http_server server;
static struct lsv_http *http;
static struct lsv_http_response response;
static char url[64];

static void begin(const char *const *answers)
{
	static const struct lsv_http_options options = {.connect_ms = 60000};

	server_start(&server, answers);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/a%%20b?c", server.port);
	ck_assert_int_eq(lsv_http_open(&options, &http), 0);
}

static void end(void)
{
	lsv_http_response_free(&response);
	lsv_http_close(http);
	server_stop(&server);
}

static int request(const char *method, const char *text)
{
	auto_reader struct lsv_reader *body =
		text ? lsv_reader_memory(text, strlen(text)) : NULL;
	static const char *const headers[] = {"x-one: 1", "x-two: 2", NULL};
	const struct lsv_http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.body = body,
	};

	return lsv_http_do(http, &request, &response);
}

static bool asked(int i, const char *text)
{
	return strstr(server.requests[i], text) != NULL;
}

START_TEST(an_answer_comes_with_the_headers_that_are_asked_for)
{
	static const char *const answers[] = {
		"HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 206 Partial Content\r\nETag: \"abc\"\r\n"
		"Content-Length: 5\r\nDate: Tue, 24 Nov 2026 17:51:21 GMT\r\n"
		"X-Amz-Bucket-Region:eu-west-3\r\nContent-Range: bytes 0-4/9\r\n"
		"Retry-After: 7\r\nX-Amz-Request-Id: r\r\n\r\nhello",
		NULL,
	};

	begin(answers);
	ck_assert_int_eq(request("GET", NULL), 0);
	ck_assert_int_eq(response.status, 206);
	ck_assert_int_eq(response.length, 5);
	ck_assert_int_eq(response.date_ns, INT64_C(1795542681000000000));
	ck_assert_uint_eq(response.retry_s, 7);
	ck_assert_str_eq(response.etag, "\"abc\"");
	ck_assert_str_eq(response.region, "eu-west-3");
	ck_assert_str_eq(response.range, "bytes 0-4/9");
	ck_assert_str_eq(response.request_id, "r");
	ck_assert_uint_eq(response.body.n, 5);
	ck_assert_mem_eq(response.body.data, "hello", 5);
	ck_assert(asked(0, "GET /a%20b?c HTTP/1.1\r\n"));
	ck_assert(asked(0, "\r\nx-one: 1\r\nx-two: 2\r\n"));
	end();
}
END_TEST

START_TEST(requests_share_a_connection)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		NULL,
	};

	begin(answers);
	ck_assert_int_eq(request("PUT", "body"), 0);
	ck_assert(asked(0, "PUT /a%20b?c HTTP/1.1\r\n"));
	ck_assert(asked(0, "\r\n\r\nbody"));
	ck_assert(asked(0, "\r\nContent-Length: 4\r\n"));
	ck_assert(!asked(0, "Expect") && !asked(0, "Transfer-Encoding"));
	ck_assert_int_eq(request("DELETE", NULL), 0);
	ck_assert(asked(1, "DELETE /a%20b?c HTTP/1.1\r\n"));
	ck_assert_int_eq(response.status, 204);
	ck_assert_int_eq(request("HEAD", NULL), 0);
	ck_assert(asked(2, "HEAD /a%20b?c HTTP/1.1\r\n"));
	ck_assert_int_eq(response.length, 9);
	ck_assert_int_eq(request("POST", NULL), 0);
	ck_assert(asked(3, "POST /a%20b?c HTTP/1.1\r\n"));
	ck_assert(asked(3, "\r\nContent-Length: 0\r\n"));
	ck_assert_uint_eq(response.body.n, 1);
	ck_assert_int_eq(server.n_connections, 1);
	end();
}
END_TEST

START_TEST(only_what_succeeds_is_written_to_the_caller)
{
	static const char *const answers[] = {
		"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere",
		NULL,
	};
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&buf);
	const struct lsv_http_request get = {
		.method = "GET", .url = url, .into = into};

	begin(answers);
	ck_assert_int_eq(lsv_http_do(http, &get, &response), 0);
	ck_assert_int_eq(response.status, 404);
	ck_assert_uint_eq(buf.n, 0);
	ck_assert_mem_eq(response.body.data, "gone", 4);
	ck_assert_int_eq(lsv_http_do(http, &get, &response), 0);
	ck_assert_uint_eq(buf.n, 4);
	ck_assert_uint_eq(response.body.n, 0);
	end();
}
END_TEST

START_TEST(what_is_cut_is_worth_trying_again)
{
	static const char *const answers[] = {
		"!HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"!",
		"!HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		NULL,
	};

	begin(answers);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(request("PUT", "body"), -EAGAIN);
		ck_assert_str_ne(response.why, "");
	}
	ck_assert_int_eq(request("PUT", "body"), 0);
	end();
}
END_TEST

START_TEST(a_body_goes_again_when_a_kept_connection_was_dead)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"!",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		NULL,
	};

	begin(answers);
	ck_assert_int_eq(request("PUT", "one"), 0);
	ck_assert_int_eq(request("PUT", "two"), 0);
	ck_assert(asked(2, "\r\n\r\ntwo"));
	end();
}
END_TEST

START_TEST(nobody_there_and_no_url_are_told_apart)
{
	begin((const char *const[]){NULL});
	server_stop(&server);
	ck_assert_int_eq(request("GET", NULL), -EAGAIN);
	ck_assert_str_ne(response.why, "");
	snprintf(url, sizeof url, "gopher://127.0.0.1/");
	ck_assert_int_eq(request("GET", NULL), -EINVAL);
	lsv_http_close(http);
}
END_TEST

START_TEST(a_transfer_does_not_last_for_ever)
{
	static const char *const answers[] = {"~", "~", NULL};
	static const struct lsv_http_options options[] = {{.total_ms = 10},
	                                                  {.stalled_s = 1}};

	begin(answers);
	for (int i = 0; i < 2; i++) {
		lsv_http_close(http);
		ck_assert_int_eq(lsv_http_open(&options[i], &http), 0);
		ck_assert_int_eq(request("GET", NULL), -EAGAIN);
		ck_assert_str_ne(response.why, "");
	}
	end();
}
END_TEST

static void *stop_it(void *arg)
{
	while (atomic_load(&server.n_requests) == 0)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	if (arg)
		lsv_http_stop(arg);
	else
		lsv_http_stop_all(60000);
	return NULL;
}

static void stopped_by(bool all)
{
	static const char *const answers[] = {"~", NULL};
	pthread_t thread;

	begin(answers);
	ck_assert_int_eq(
		pthread_create(&thread, NULL, stop_it, all ? NULL : http), 0);
	ck_assert_int_eq(request("GET", NULL), -ECANCELED);
	ck_assert_int_eq(request("GET", NULL), -ECANCELED);
	pthread_join(thread, NULL);
	ck_assert_int_eq(server.n_requests, 1);
	end();
}

START_TEST(another_thread_ends_a_transfer)
{
	stopped_by(false);
}
END_TEST

START_TEST(the_end_of_the_process_ends_all_transfers)
{
	stopped_by(true);
}
END_TEST

START_TEST(a_date_is_read_or_refused)
{
	static const struct {
		const char *text;
		int64_t s;
	} table[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
		{"Thu, 01 Jan 1970 00:00:01 GMT", 1},
		{"Sun, 06 ovD 1994 08:49:37 GMT", 0},
		{"Sun, 31 Feb 1994 08:49:37 GMT", 0},
		{"1994-11-06T08:49:37Z", 0},
		{"", 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_int_eq(lsv_http_date(table[i].text),
		                 table[i].s * 1000000000);
}
END_TEST

UNIT(http, an_answer_comes_with_the_headers_that_are_asked_for,
     requests_share_a_connection, only_what_succeeds_is_written_to_the_caller,
     what_is_cut_is_worth_trying_again,
     a_body_goes_again_when_a_kept_connection_was_dead,
     nobody_there_and_no_url_are_told_apart, a_transfer_does_not_last_for_ever,
     another_thread_ends_a_transfer, the_end_of_the_process_ends_all_transfers,
     a_date_is_read_or_refused)
