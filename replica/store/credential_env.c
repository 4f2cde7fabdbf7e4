/* SPDX-License-Identifier: MIT */

/* The sources that are variables of the environment. */

#include "replica/store/credential_source.h"
#include "replica/store/env.h"

#include <errno.h>

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
