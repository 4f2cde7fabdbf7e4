/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_S3_FIXTURE_H
#define LSV_TEST_S3_FIXTURE_H

/*
 * The S3 client against a server that gives the answers of a test case, which
 * must be asked for exactly as often as it has some.
 */

#include "replica/store/client.h"
#include "test/lib/http_server.h"

#include <errno.h>

#define CLOSING "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n\r\n"
#define NOT_THERE "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define TAKEN "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"
#define PART "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n"
#define TEXT_3(text) "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" text

static struct http_server server;
static struct lsv_client *client;

static inline void s3_begin_at(const char *query, const char *const *answers)
{
	struct lsv_client_options options = {
		.access_key_id = (char[]){"id"},
		.secret_access_key = (char[]){"secret"},
	};
	char url[200];

	server_start(&server, answers);
	snprintf(url, sizeof url, "s3://bkt/a b?endpoint=http://127.0.0.1:%u%s",
	         server.port, query);
	ck_assert_int_eq(lsv_client_s3(url, &options, &client), 0);
	ck_assert_str_eq(client->url, "s3://bkt/a b");
}

static inline void s3_begin(const char *const *answers)
{
	s3_begin_at("", answers);
}

static inline void s3_end(void)
{
	int n = 0;

	lsv_client_close(client);
	while (server.answers[n])
		n++;
	ck_assert_int_eq(server.n_requests, n);
	server_stop(&server);
}

static inline bool asked(int i, const char *text)
{
	return strstr(server.requests[i], text) != NULL;
}

#endif
