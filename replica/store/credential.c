/* SPDX-License-Identifier: MIT */
#include "replica/store/credential.h"

#include "replica/base/secret.h"
#include "replica/store/credential_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lsv_credential_free(struct lsv_credential *credential)
{
	lsv_secret_free(take(credential->key_id));
	lsv_secret_free(take(credential->secret));
	lsv_secret_free(take(credential->token));
	credential->expires_ns = 0;
}

static int copy_text(const char *from, char **to)
{
	if (!from || !*from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

int lsv_credential_copy(const struct lsv_credential *from,
                        struct lsv_credential *to)
{
	auto_credential struct lsv_credential copy = {0};
	int r = copy_text(from->key_id, &copy.key_id);

	if (r == 0)
		r = copy_text(from->secret, &copy.secret);
	if (r == 0)
		r = copy_text(from->token, &copy.token);
	if (r < 0)
		return r;
	copy.expires_ns = from->expires_ns;
	*to = copy;
	copy = (struct lsv_credential){0};
	return 0;
}

int lsv_credential_fail(struct lsv_credential_search *search, int r,
                        const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(search->why, sizeof search->why, format, args);
	va_end(args);
	return r;
}
