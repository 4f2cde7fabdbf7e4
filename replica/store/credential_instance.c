/* SPDX-License-Identifier: MIT */

/*
 * The role of an EC2 machine, from its metadata service in the second version
 * of its protocol:
 *
 *	PUT /latest/api/token                                   -> a token
 *	GET /latest/meta-data/iam/security-credentials/         -> a role
 *	GET /latest/meta-data/iam/security-credentials/<role>   -> JSON
 *
 * Elsewhere nobody answers: that is no failure, but the end of the chain.
 */

#include "replica/base/fileio.h"
#include "replica/base/secret.h"
#include "replica/store/credential_ask.h"
#include "replica/store/credential_json.h"
#include "replica/store/env.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICE "the instance metadata service"
#define SERVICE_V4 "http://169.254.169.254"
#define SERVICE_V6 "http://[fd00:ec2::254]"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TOKEN_SIZE_MAX 1024
#define STATUS_NOT_FOUND 404

static const char *service(void)
{
	const char *url = lsv_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = lsv_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (url)
		return url;
	return mode && strcasecmp(mode, "ipv6") == 0 ? SERVICE_V6 : SERVICE_V4;
}

static bool is_disabled(void)
{
	const char *text = lsv_env("AWS_EC2_METADATA_DISABLED");

	return text && strcasecmp(text, "true") == 0;
}

static int ask(struct lsv_credential_search *search, const char *method,
               const char *path, const char *header,
               struct lsv_http_response *response)
{
	const char *const headers[] = {header, NULL};
	const char *base = service();
	size_t n = strlen(base);
	auto_free char *url = NULL;

	while (n && base[n - 1] == '/')
		n--;
	url = lsv_sprintf("%.*s%s", (int)n, base, path);
	if (!url)
		return -ENOMEM;
	const struct lsv_ask question = {
		.what = SERVICE,
		.method = method,
		.url = url,
		.headers = headers,
		.is_near = true,
	};
	return lsv_credential_ask(search, &question, response);
}

/* The answer as one word: a token, or a role. */
static int word_of(struct lsv_credential_search *search,
                   const struct lsv_http_response *response, char **word)
{
	size_t n = 0;

	while (n < response->body.n && isgraph(response->body.data[n]))
		n++;
	if (response->status != LSV_HTTP_OK || n == 0 || n > TOKEN_SIZE_MAX)
		return lsv_credential_fail(search, -EACCES,
		                           SERVICE " refuses: status %d",
		                           response->status);
	*word = strndup((const char *)response->body.data, n);
	return *word ? 0 : -ENOMEM;
}

static int get_token(struct lsv_credential_search *search, char **header)
{
	auto_answer struct lsv_http_response response = {0};
	auto_secret char *token = NULL;
	int r = ask(search, "PUT", "/latest/api/token",
	            "X-aws-ec2-metadata-token-ttl-seconds: 21600", &response);

	/* Nobody there, or something else than that service. */
	if (r == -EAGAIN || (r == 0 && response.status == STATUS_NOT_FOUND))
		return -ENOENT;
	if (r == 0)
		r = word_of(search, &response, &token);
	if (r < 0)
		return r;
	*header = lsv_sprintf("X-aws-ec2-metadata-token: %s", token);
	return *header ? 0 : -ENOMEM;
}

static int get_role(struct lsv_credential_search *search, const char *header,
                    char **role)
{
	auto_answer struct lsv_http_response response = {0};
	int r = ask(search, "GET", ROLES, header, &response);

	if (r == 0 && response.status == STATUS_NOT_FOUND)
		return -ENOENT; /* a machine without a role */
	return r < 0 ? r : word_of(search, &response, role);
}

int lsv_credential_from_instance(struct lsv_credential_search *search,
                                 struct lsv_credential *out)
{
	auto_answer struct lsv_http_response response = {0};
	auto_secret char *header = NULL;
	auto_free char *role = NULL;
	auto_free char *path = NULL;
	int r = is_disabled() ? -ENOENT : get_token(search, &header);

	if (r == 0)
		r = get_role(search, header, &role);
	if (r < 0)
		return r;
	path = lsv_sprintf(ROLES "%s", role);
	r = path ? ask(search, "GET", path, header, &response) : -ENOMEM;
	if (r < 0)
		return r;
	r = lsv_credential_answer(&response, out);
	if (r != -EBADMSG)
		return r;
	return lsv_credential_fail(
		search, -EACCES,
		SERVICE " gives no credentials for role '%s': status %d", role,
		response.status);
}
