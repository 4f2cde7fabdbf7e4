/* SPDX-License-Identifier: MIT */

/* The sources that are variables of the environment. */

#include "replica/base/fileio.h"
#include "replica/base/secret.h"
#include "replica/store/credential_source.h"
#include "replica/store/env.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define TOKEN_SIZE_MAX ((size_t)64 * 1024)

static int from_variables(struct lsv_credential_search *search,
                          const char *const names[3],
                          struct lsv_credential *out)
{
	const char *token = names[2] ? lsv_env(names[2]) : NULL;
	struct lsv_credential found = {
		.key_id = (char *)lsv_env(names[0]),
		.secret = (char *)lsv_env(names[1]),
		.token = (char *)token,
	};

	if (!found.key_id && !found.secret)
		return -ENOENT;
	if (!found.key_id || !found.secret)
		return lsv_credential_fail(
			search, -EACCES,
			"%s is set, but %s is not: set both, or neither",
			names[found.key_id ? 0 : 1],
			names[found.key_id ? 1 : 0]);
	return lsv_credential_copy(&found, out);
}

int lsv_credential_from_litestream(struct lsv_credential_search *search,
                                   struct lsv_credential *out)
{
	static const char *const names[] = {"LITESTREAM_ACCESS_KEY_ID",
	                                    "LITESTREAM_SECRET_ACCESS_KEY",
	                                    NULL};

	return from_variables(search, names, out);
}

int lsv_credential_from_environment(struct lsv_credential_search *search,
                                    struct lsv_credential *out)
{
	static const char *const names[] = {"AWS_ACCESS_KEY_ID",
	                                    "AWS_SECRET_ACCESS_KEY",
	                                    "AWS_SESSION_TOKEN"};

	return from_variables(search, names, out);
}

static bool is_token(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

int lsv_credential_read_token(struct lsv_credential_search *search,
                              const char *path, char **token)
{
	char *text = NULL;
	size_t n;
	int r = lsv_file_read(path, TOKEN_SIZE_MAX, &text, &n);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return lsv_credential_fail(search, -EACCES,
		                           "cannot read the token in '%s': %s",
		                           path, strerror(-r));
	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = 0;
	if (strlen(text) != n || !is_token(text)) {
		lsv_secret_free(text);
		return lsv_credential_fail(
			search, -EACCES,
			"what is in '%s' is no token: expected one line", path);
	}
	*token = text;
	return 0;
}

int lsv_credential_from_web_identity(struct lsv_credential_search *search,
                                     struct lsv_credential *out)
{
	const char *path = lsv_env("AWS_WEB_IDENTITY_TOKEN_FILE");
	struct lsv_role role = {
		.arn = lsv_env("AWS_ROLE_ARN"),
		.session = lsv_env("AWS_ROLE_SESSION_NAME"),
	};

	if (!path)
		return -ENOENT;
	if (!role.arn)
		return lsv_credential_fail(search, -EACCES,
		                           "AWS_WEB_IDENTITY_TOKEN_FILE is "
		                           "set, but AWS_ROLE_ARN is not");
	return lsv_sts_assume_by_token(search, &role, path, out);
}
