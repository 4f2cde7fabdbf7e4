/* SPDX-License-Identifier: MIT */
#include "replica/store/url.h"

#include "replica/base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The colon behind "word"; NULL: there is none. */
static const char *colon_of(const char *text)
{
	const char *p = text;

	while (isalnum((unsigned char)*p) || *p == '+' || *p == '-' ||
	       *p == '.')
		p++;
	return isalpha((unsigned char)*text) && *p == ':' ? p : NULL;
}

bool lsv_url_has_scheme(const char *text)
{
	const char *colon = colon_of(text);

	return colon && strncmp(colon, "://", 3) == 0;
}

bool lsv_url_is_misspelt(const char *text)
{
	const char *colon = colon_of(text);

	if (!colon || strncmp(colon, "://", 3) == 0)
		return false;
	return colon[1] == '/' || strncasecmp(text, "s3:", 3) == 0 ||
	       strncasecmp(text, "file:", 5) == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of text, which *p is moved behind; 0: a bad escape, or one for
 * the byte that no path has. */
static char decode_byte(const char **p)
{
	int high, low;

	if (**p != '%')
		return *(*p)++;
	high = hex_digit((*p)[1]);
	low = high < 0 ? -1 : hex_digit((*p)[2]);
	if (low < 0)
		return 0;
	*p += 3;
	return (char)(high << 4 | low);
}

char *lsv_url_decode(const char *text)
{
	auto_free char *out = malloc(strlen(text) + 1);
	size_t n = 0;

	if (!out)
		return NULL;
	while (*text) {
		out[n] = decode_byte(&text);
		if (!out[n++])
			return NULL;
	}
	out[n] = 0;
	return take(out);
}

int lsv_url_file_path(const char *rest, char **path)
{
	char *text;

	if (strncmp(rest, "localhost/", 10) == 0)
		rest += 9;
	if (*rest != '/' || strpbrk(rest, "?#"))
		return -EINVAL;
	text = lsv_url_decode(rest);
	if (!text)
		return -EINVAL;
	*path = text;
	return 0;
}

bool lsv_url_has_port(const char *host, size_t n)
{
	const char *colon = memrchr(host, ':', n);

	return !colon || strspn(colon + 1, "0123456789") ==
	                         (size_t)(host + n - colon - 1);
}

void lsv_url_show(const char *url, char *text, size_t size)
{
	const char *rest = colon_of(url), *at;
	size_t n, n_host;

	if (!lsv_url_has_scheme(url) && !lsv_url_is_misspelt(url)) {
		snprintf(text, size, "%s", url);
		return;
	}
	rest += 1 + strspn(rest + 1, "/");
	n = strcspn(rest, "?");
	n_host = strcspn(rest, "/?");
	/* A key may have a slash, which ends no host then. */
	at = memrchr(rest, '@', lsv_url_has_port(rest, n_host) ? n_host : n);
	at = at ? at + 1 : rest;
	snprintf(text, size, "%.*s%.*s", (int)(rest - url), url,
	         (int)(n - (size_t)(at - rest)), at);
}
