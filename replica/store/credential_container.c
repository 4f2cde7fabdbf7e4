/* SPDX-License-Identifier: MIT */

/*
 * The role of a container, from an agent beside it: ECS gives a path on its
 * own address, EKS and others a whole URL and a token for it.
 */

#include "replica/base/fileio.h"
#include "replica/base/secret.h"
#include "replica/store/credential_ask.h"
#include "replica/store/credential_json.h"
#include "replica/store/env.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SERVICE "the container credential service"
#define ECS "http://169.254.170.2"

static bool is_loopback(const char *host)
{
	struct in_addr address;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (inet_pton(AF_INET, host, &address) == 1 &&
	        (ntohl(address.s_addr) >> 24) == 127);
}

/* Without TLS, only to those who cannot be somebody else: a token goes there.
 */
static bool is_allowed(const char *url)
{
	static const char *const agents[] = {"169.254.170.2", "169.254.170.23",
	                                     "fd00:ec2::23"};
	static const char plain[] = "http://";
	char host[64];
	const char *from;
	size_t n;

	if (strncasecmp(url, "https://", 8) == 0)
		return true;
	if (strncasecmp(url, plain, sizeof plain - 1) != 0)
		return false;
	from = url + sizeof plain - 1;
	if (*from == '[')
		n = strcspn(++from, "]");
	else
		n = strcspn(from, ":/?#");
	if (n >= sizeof host || strcspn(from, "@\\") < strcspn(from, "/?#"))
		return false;
	snprintf(host, sizeof host, "%.*s", (int)n, from);
	for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
		if (strcasecmp(agents[i], host) == 0)
			return true;
	return is_loopback(host);
}

static int find_url(struct lsv_credential_search *search, char **url)
{
	const char *path = lsv_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = lsv_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (!path && !full)
		return -ENOENT;
	if (path && *path != '/')
		return lsv_credential_fail(
			search, -EACCES,
			"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path: "
			"expected one that begins with '/'");
	if (!path && !is_allowed(full))
		return lsv_credential_fail(
			search, -EACCES,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI is refused: "
			"expected https://, or http:// to the machine itself "
			"or to the agent of ECS or EKS");
	*url = path ? lsv_sprintf(ECS "%s", path) : strdup(full);
	return *url ? 0 : -ENOMEM;
}

/* "Authorization: ..."; *header is NULL: none is asked for. */
static int find_header(struct lsv_credential_search *search, char **header)
{
	const char *path = lsv_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *given = lsv_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	auto_secret char *token = NULL;
	int r = 0;

	if (path)
		r = lsv_credential_read_token(search, path, &token);
	else if (given && strpbrk(given, "\r\n"))
		r = lsv_credential_fail(
			search, -EACCES,
			"AWS_CONTAINER_AUTHORIZATION_TOKEN is no token: it "
			"has more than one line");
	if (r < 0 || (!path && !given))
		return r;
	*header = lsv_sprintf("Authorization: %s", token ? token : given);
	return *header ? 0 : -ENOMEM;
}

int lsv_credential_from_container(struct lsv_credential_search *search,
                                  struct lsv_credential *out)
{
	auto_answer struct lsv_http_response response = {0};
	char code[LSV_CREDENTIAL_CODE_SIZE];
	auto_free char *url = NULL;
	auto_secret char *header = NULL;
	int r = find_url(search, &url);

	if (r == 0)
		r = find_header(search, &header);
	if (r < 0)
		return r;
	const char *const headers[] = {header, NULL};
	const struct lsv_ask question = {
		.what = SERVICE,
		.method = "GET",
		.url = url,
		.headers = headers,
		.is_near = true,
	};
	r = lsv_credential_ask(search, &question, &response);
	if (r < 0)
		return r;
	r = lsv_credential_answer(&response, out);
	if (r != -EBADMSG)
		return r;
	lsv_credential_json_error(response.body.data, response.body.n, code);
	return lsv_credential_fail(
		search, -EACCES, SERVICE " gives no credentials: status %d %s",
		response.status, code);
}
