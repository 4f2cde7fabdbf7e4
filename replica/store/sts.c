/* SPDX-License-Identifier: MIT */

/*
 * AWS STS: a credential for a while, for a role.  One POST of a form, signed
 * by who may take the role, or with the token of an identity provider in it.
 */

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/secret.h"
#include "replica/store/credential_ask.h"
#include "replica/store/digest.h"
#include "replica/store/env.h"
#include "replica/store/region.h"
#include "replica/store/sigv4.h"
#include "replica/store/sts_xml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define API_VERSION "2011-06-15"
#define SERVICE "AWS STS"
#define GLOBAL_REGION "us-east-1"
#define FORM_TYPE "content-type: application/x-www-form-urlencoded"
/* A signature is good for five minutes either way. */
#define SKEW_MAX_NS (240 * LSV_NS_PER_S)
/* What AWS allows. */
#define DURATION_MIN_S 900
#define DURATION_MAX_S 43200

static int check_role(struct lsv_credential_search *search,
                      const struct lsv_role *role)
{
	char *end = NULL;
	long seconds;

	if (!role->duration_s)
		return 0;
	seconds = strtol(role->duration_s, &end, 10);
	if (!*end && seconds >= DURATION_MIN_S && seconds <= DURATION_MAX_S)
		return 0;
	return lsv_credential_fail(search, -EACCES,
	                           "duration_seconds of the role is not from "
	                           "%d to %d",
	                           DURATION_MIN_S, DURATION_MAX_S);
}

static int make_form(const char *action, const struct lsv_role *role,
                     const char *token, char **form)
{
	char session[32];
	const struct lsv_query all[] = {
		{"Action", action},
		{"DurationSeconds", role->duration_s},
		{"ExternalId", role->external_id},
		{"RoleArn", role->arn},
		{"RoleSessionName", role->session ? role->session : session},
		{"Version", API_VERSION},
		{"WebIdentityToken", token},
	};
	struct lsv_query given[sizeof all / sizeof *all];
	size_t n = 0;

	snprintf(session, sizeof session, "lsvfs-%lld",
	         (long long)(lsv_clock_ns() / LSV_NS_PER_S));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].value)
			given[n++] = all[i];
	return lsv_query_text(given, n, form);
}

/* Where to ask, and the region to sign for. */
struct place {
	char *url;
	char *region;
};

static void place_free(struct place *place)
{
	free(place->url);
	free(place->region);
}

#define auto_place __attribute__((cleanup(place_free)))

static bool is_legacy(void)
{
	const char *text = lsv_env("AWS_STS_REGIONAL_ENDPOINTS");

	return text && strcasecmp(text, "legacy") == 0;
}

static int find_place(const struct lsv_role *role, struct place *place)
{
	const char *url = lsv_env("AWS_ENDPOINT_URL_STS");
	int r = 0;

	if (role->region && !lsv_env("AWS_REGION"))
		place->region = strdup(role->region);
	else
		r = lsv_region_find(&place->region);
	if (r < 0 && r != -ENOENT)
		return r;
	if (!url)
		url = lsv_env("AWS_ENDPOINT_URL");
	if (url)
		place->url = strdup(url);
	else if (r == -ENOENT || is_legacy())
		place->url = strdup("https://sts.amazonaws.com/");
	else
		place->url = lsv_sprintf(
			"https://sts.%s.amazonaws.com%s/", place->region,
			strncmp(place->region, "cn-", 3) == 0 ? ".cn" : "");
	if (r == -ENOENT || (!url && is_legacy())) {
		free(take(place->region));
		place->region = strdup(GLOBAL_REGION);
	}
	return place->url && place->region ? 0 : -ENOMEM;
}

/* The headers of a request, all of them signed; no more than these. */
#define N_HEADERS 4
struct headers {
	char *host, *date, *token, *signature;
	const char *list[N_HEADERS + 2];
};

static void headers_free(struct headers *headers)
{
	free(headers->host);
	free(headers->date);
	lsv_secret_free(headers->token);
	lsv_secret_free(headers->signature);
}

#define auto_headers __attribute__((cleanup(headers_free)))

static int sign(const struct place *place, const char *form,
                const struct lsv_credential *base, int64_t now_ns,
                struct headers *headers)
{
	const char *host = strstr(place->url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	char sha256[LSV_SHA256_TEXT_SIZE];
	char date[LSV_SIGV4_DATE_SIZE];
	struct lsv_sigv4 request = {
		.method = "POST",
		.path = path ? path : "/",
		.query = "",
		.headers = headers->list,
		.body_sha256 = sha256,
		.region = place->region,
		.service = "sts",
	};
	size_t n = 1;
	int r = lsv_sha256_text(form, strlen(form), sha256);

	if (r < 0 || !host)
		return r < 0 ? r : -EINVAL;
	host += 3;
	lsv_sigv4_date(now_ns, date);
	headers->host = lsv_sprintf("host: %.*s", (int)strcspn(host, "/?"),
	                            host);
	headers->date = lsv_sprintf("x-amz-date: %s", date);
	if (base->token)
		headers->token = lsv_sprintf("x-amz-security-token: %s",
		                             base->token);
	if (!headers->host || !headers->date ||
	    (base->token && !headers->token))
		return -ENOMEM;
	headers->list[n++] = headers->host;
	headers->list[n++] = headers->date;
	if (headers->token)
		headers->list[n++] = headers->token;
	r = lsv_sigv4_sign(&request, base->key_id, base->secret,
	                   &headers->signature);
	headers->list[n] = headers->signature;
	return r;
}

static int refused(struct lsv_credential_search *search,
                   const struct lsv_role *role,
                   const struct lsv_http_response *response)
{
	struct lsv_sts_error error;
	/* Its text repeats what was signed, a session's token among it. */
	bool is_telling;

	lsv_sts_parse_error(response->body.data, response->body.n, &error);
	is_telling = !strstr(error.code, "Signature");
	return lsv_credential_fail(search, -EACCES,
	                           SERVICE " does not give role %s: status %d "
	                                   "%s%s%s",
	                           role->arn, response->status, error.code,
	                           is_telling && error.message[0] ? ": " : "",
	                           is_telling ? error.message : "");
}

static int read_answer(struct lsv_credential_search *search,
                       const struct lsv_role *role,
                       const struct lsv_http_response *response,
                       struct lsv_credential *out)
{
	int r;

	if (response->status != LSV_HTTP_OK)
		return refused(search, role, response);
	r = lsv_sts_parse(response->body.data, response->body.n, out);
	if (r == -EBADMSG)
		return lsv_credential_fail(search, -EACCES,
		                           "what " SERVICE " answers cannot "
		                           "be read: is it one?");
	if (r == 0)
		lsv_credential_set_clock(response, out);
	return r;
}

static int ask(struct lsv_credential_search *search, const struct place *place,
               const char *const *headers, const char *form,
               struct lsv_http_response *response)
{
	const struct lsv_ask question = {
		.what = SERVICE,
		.method = "POST",
		.url = place->url,
		.headers = headers,
		.body = form,
	};

	return lsv_credential_ask(search, &question, response);
}

/* By this clock; *skew_ns is what the server's is ahead of it. */
static int ask_signed(struct lsv_credential_search *search,
                      const struct place *place, const char *form,
                      const struct lsv_credential *base, int64_t *skew_ns,
                      struct lsv_http_response *response)
{
	auto_headers struct headers headers = {.list = {FORM_TYPE}};
	int64_t now_ns = lsv_clock_ns() + *skew_ns;
	int r = sign(place, form, base, now_ns, &headers);

	if (r == -EINVAL)
		return lsv_credential_fail(search, r,
		                           "cannot ask " SERVICE
		                           ": is AWS_ENDPOINT_URL_STS a URL?");
	if (r == 0)
		r = ask(search, place, headers.list, form, response);
	if (r == 0 && response->date_ns)
		*skew_ns = response->date_ns - now_ns;
	return r;
}

int lsv_sts_assume(struct lsv_credential_search *search,
                   const struct lsv_role *role,
                   const struct lsv_credential *base,
                   struct lsv_credential *out)
{
	auto_answer struct lsv_http_response response = {0};
	auto_place struct place place = {0};
	auto_free char *form = NULL;
	int64_t skew_ns = 0;
	int r = check_role(search, role);

	if (r == 0)
		r = find_place(role, &place);
	if (r == 0)
		r = make_form("AssumeRole", role, NULL, &form);
	if (r == 0)
		r = ask_signed(search, &place, form, base, &skew_ns, &response);
	/* Signed by a clock that is wrong, it is refused. */
	if (r == 0 && response.status != LSV_HTTP_OK &&
	    llabs(skew_ns) > SKEW_MAX_NS)
		r = ask_signed(search, &place, form, base, &skew_ns, &response);
	return r < 0 ? r : read_answer(search, role, &response, out);
}

int lsv_sts_assume_by_token(struct lsv_credential_search *search,
                            const struct lsv_role *role, const char *token_path,
                            struct lsv_credential *out)
{
	static const char *const headers[] = {FORM_TYPE, NULL};
	auto_answer struct lsv_http_response response = {0};
	auto_place struct place place = {0};
	auto_secret char *token = NULL;
	auto_secret char *form = NULL;
	int r = check_role(search, role);

	if (r == 0)
		r = lsv_credential_read_token(search, token_path, &token);
	if (r == 0)
		r = find_place(role, &place);
	if (r == 0)
		r = make_form("AssumeRoleWithWebIdentity", role, token, &form);
	if (r == 0)
		r = ask(search, &place, headers, form, &response);
	return r < 0 ? r : read_answer(search, role, &response, out);
}
