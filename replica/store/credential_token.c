/* SPDX-License-Identifier: MIT */
#include "replica/store/credential_source.h"

#include "replica/base/fileio.h"
#include "replica/base/secret.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define TOKEN_SIZE_MAX ((size_t)64 * 1024)

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
