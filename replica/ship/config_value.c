/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_value.h"

#include "replica/base/cleanup.h"
#include "replica/base/stream.h"
#include "replica/ship/config_path.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From where the process stands now, not from where it will have gone when the
 * replica is first needed.  (A percent sign of the folder's is none of the
 * URL's.) */
static char *from_here(const char *path)
{
	auto_free char *cwd = NULL;
	auto_buf struct lsv_buf text = {0};
	int r = 0;

	cwd = getcwd(NULL, 0);
	if (!cwd)
		return NULL;
	for (const char *p = cwd; r == 0 && *p; p++)
		r = lsv_buf_append(&text, "%%", *p == '%' ? 1 : 0) < 0
		            ? -ENOMEM
		            : lsv_buf_append(&text, p, 1);
	if (r == 0)
		r = lsv_buf_append(&text, "/", 1);
	if (r == 0)
		r = lsv_buf_append(&text, path, strlen(path) + 1);
	return r == 0 ? (char *)take(text.data) : NULL;
}

/* A path is absolute, and folded, so that one folder has one text: but not
 * where "%p" stands for more than one name, of which ".." is to take one. */
char *lsv_value_url(const char *url)
{
	auto_free char *path = NULL;

	if (strstr(url, "://") || lsv_url_is_misspelt(url))
		return strdup(url);
	path = *url == '/' ? strdup(url) : from_here(url);
	if (path && !strstr(path, "%p") && !lsv_path_fold(path))
		return NULL;
	return take(path);
}

/* "64MiB", "1GB", "4096": K, M, G, T and KiB... are powers of 1024, KB... of
 * 1000. */
int lsv_value_bytes(const char *value, uint64_t *field)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n, base;
	ptrdiff_t power;
	char *end;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno)
		return -EINVAL;
	unit = *end ? strchr(units, *end) : NULL;
	power = unit ? unit - units + 1 : 0;
	if (unit)
		end++;
	base = unit && strcmp(end, "B") == 0 ? 1000 : 1024;
	if (*end && strcmp(end, "B") != 0 && !(unit && strcmp(end, "iB") == 0))
		return -EINVAL;
	for (; power > 0; power--) {
		if (__builtin_mul_overflow(n, base, &n))
			return -EINVAL;
	}
	*field = n;
	return 0;
}

/* As SQLite reads a boolean of a URI. */
int lsv_value_bool(const char *value, bool *field)
{
	static const char *const words[] = {"0",  "1",   "off",   "on",
	                                    "no", "yes", "false", "true"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], value) == 0) {
			*field = i % 2;
			return 0;
		}
	}
	return -EINVAL;
}
