/* SPDX-License-Identifier: MIT */
#include "replica/store/credential_ask.h"

#include "replica/base/clock.h"
#include "replica/store/credential_json.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define N_TRIES 3
#define PAUSE_NS (100 * LSV_NS_PER_MS)
#define STATUS_TOO_MANY 429
#define STATUS_SERVER_ERROR 500

void lsv_credential_ask_end(struct lsv_http_response *response)
{
	if (response->body.data)
		explicit_bzero(response->body.data, response->body.n);
	lsv_http_response_free(response);
}

void lsv_credential_set_clock(const struct lsv_http_response *response,
                              struct lsv_credential *credential)
{
	if (response->date_ns && credential->expires_ns)
		credential->expires_ns += lsv_clock_ns() - response->date_ns;
}

int lsv_credential_answer(const struct lsv_http_response *response,
                          struct lsv_credential *out)
{
	int r = response->status == LSV_HTTP_OK
	                ? lsv_credential_json_parse(response->body.data,
	                                            response->body.n, out)
	                : -EBADMSG;

	if (r == 0)
		lsv_credential_set_clock(response, out);
	return r;
}

static bool is_overloaded(int status)
{
	return status == STATUS_TOO_MANY || status >= STATUS_SERVER_ERROR;
}

static int ask_once(struct lsv_http *http, const struct lsv_ask *ask,
                    struct lsv_http_response *response)
{
	auto_reader struct lsv_reader *body = NULL;
	struct lsv_http_request request = {
		.method = ask->method,
		.url = ask->url,
		.headers = ask->headers,
	};

	if (ask->body) {
		body = lsv_reader_memory(ask->body, strlen(ask->body));
		if (!body)
			return -ENOMEM;
		request.body = body;
	}
	lsv_credential_ask_end(response);
	return lsv_http_do(http, &request, response);
}

static void pause_before(int i_try)
{
	struct timespec pause = {.tv_nsec = PAUSE_NS * i_try};

	nanosleep(&pause, NULL);
}

int lsv_credential_ask(struct lsv_credential_search *search,
                       const struct lsv_ask *ask,
                       struct lsv_http_response *response)
{
	struct lsv_http_options options = {
		.ca_file = search->ca_file,
		.connect_ms = ask->is_near ? 1000 : 5000,
		.total_ms = ask->is_near ? 5000 : 15000,
		.is_direct = ask->is_near,
	};
	auto_http struct lsv_http *http = NULL;
	int r = lsv_http_open(&options, &http);

	for (int i = 1; r == 0 && i <= N_TRIES; i++) {
		r = ask_once(http, ask, response);
		if (r == 0 && !is_overloaded(response->status))
			return 0;
		if ((r != 0 && r != -EAGAIN) || i == N_TRIES)
			break;
		r = 0;
		pause_before(i);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return lsv_credential_fail(search, r, "cannot ask %s: %s",
		                           ask->what, response->why);
	return lsv_credential_fail(search, -EAGAIN,
	                           "%s is overloaded (status %d)", ask->what,
	                           response->status);
}
