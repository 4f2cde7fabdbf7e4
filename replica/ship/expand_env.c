/* SPDX-License-Identifier: MIT */
#include "replica/ship/expand_env.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A name as it stands behind a dollar sign. */
struct name {
	const char *at;
	size_t n;     /* 0: it is none */
	size_t width; /* of all of it, with its braces */
};

static int is_special(char c)
{
	return c && strchr("*#$@!?-0123456789", c) != NULL;
}

static int is_word(char c)
{
	return c == '_' || isalnum((unsigned char)c);
}

/* Litestream leaves out what only looks like a name: "${}" and an "${" that
 * nothing closes. */
static struct name braced(const char *p, size_t n)
{
	const char *end = memchr(p, '}', n);

	if (!end)
		return (struct name){.width = 1};
	return (struct name){p + 1, (size_t)(end - p) - 1,
	                     (size_t)(end - p) + 1};
}

static struct name name_at(const char *p, size_t n)
{
	size_t i = 0;

	if (*p == '{')
		return braced(p, n);
	if (is_special(*p))
		return (struct name){p, 1, 1};
	while (i < n && is_word(p[i]))
		i++;
	return (struct name){p, i, i};
}

static int append(struct lsv_buf *out, const char *text, size_t n, size_t max)
{
	return out->n + n > max ? -EFBIG : lsv_buf_append(out, text, n);
}

int lsv_expand_env(const char *text, size_t n, size_t max, lsv_env_fn *env,
                   void *arg, struct lsv_buf *out)
{
	const char *end = text + n;
	int r = 0;

	for (const char *p = text; p < end && r == 0;) {
		const char *dollar = memchr(p, '$', (size_t)(end - p));
		const char *stop = dollar ? dollar : end;
		const char *value;
		struct name name = {0};

		r = append(out, p, (size_t)(stop - p), max);
		p = stop;
		if (r < 0 || !dollar)
			continue;
		if (dollar + 1 < end)
			name = name_at(dollar + 1, (size_t)(end - dollar) - 1);
		value = name.n ? env(arg, name.at, name.n) : NULL;
		if (name.width == 0)
			r = append(out, "$", 1, max);
		else if (value)
			r = append(out, value, strlen(value), max);
		p += 1 + name.width;
	}
	return r;
}
