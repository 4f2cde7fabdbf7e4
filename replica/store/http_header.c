/* SPDX-License-Identifier: MIT */
#include "replica/store/http_header.h"

#include "replica/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Headers that are kept as text. */
static const struct {
	const char *name;
	size_t at;
} kept[] = {
	{"etag", offsetof(struct lsv_http_response, etag)},
	{"x-amz-bucket-region", offsetof(struct lsv_http_response, region)},
	{"content-range", offsetof(struct lsv_http_response, range)},
	{"last-modified", offsetof(struct lsv_http_response, last_modified)},
	{"x-amz-request-id", offsetof(struct lsv_http_response, request_id)},
};

/* By hand: strptime() and timegm() go by locale and time zone files. */
int64_t lsv_http_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char sample[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	char rfc3339[LSV_TIME_TEXT_SIZE], month[4];
	const char *found;
	int64_t ns;

	if (strlen(text) != strlen(sample) || strcmp(text + 25, " GMT") != 0)
		return 0;
	snprintf(month, sizeof month, "%.3s", text + 8);
	found = strstr(months, month);
	if (!found || (found - months) % 3 != 0)
		return 0;
	/* What is no number there is no time to the parser. */
	snprintf(rfc3339, sizeof rfc3339, "%.4s-%02u-%.2sT%.8sZ", text + 12,
	         (unsigned)(found - months) / 3 + 1, text + 5, text + 17);
	return lsv_time_parse(rfc3339, &ns) == 0 ? ns : 0;
}

/* A number in full, or 'otherwise'. */
static int64_t number(const char *text, int64_t otherwise)
{
	char *end;
	long long n;

	if (!isdigit((unsigned char)*text))
		return otherwise;
	errno = 0;
	n = strtoll(text, &end, 10);
	return errno || *end ? otherwise : n;
}

static void set(struct lsv_http_response *response, const char *name,
                const char *value)
{
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		if (strcasecmp(name, kept[i].name) == 0)
			snprintf((char *)response + kept[i].at,
			         LSV_HTTP_TEXT_SIZE, "%s", value);
	}
	if (strcasecmp(name, "content-length") == 0)
		response->length = number(value, -1);
	if (strcasecmp(name, "date") == 0)
		response->date_ns = lsv_http_date(value);
	if (strcasecmp(name, "retry-after") == 0) {
		int64_t s = number(value, 0);

		response->retry_s = s > UINT16_MAX ? UINT16_MAX : (unsigned)s;
	}
}

/* "HTTP/1.1 200 OK"; 0: not that. */
static int status_of(const char *text)
{
	const char *space = strchr(text, ' ');

	if (strncmp(text, "HTTP/", 5) != 0 || !space)
		return 0;
	return (int)strtol(space, NULL, 10);
}

void lsv_http_header(struct lsv_http_response *response, const char *line,
                     size_t n)
{
	char text[1024];
	char *value;
	int status;

	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	if (n == 0 || n >= sizeof text)
		return;
	memcpy(text, line, n);
	text[n] = 0;
	status = status_of(text);
	if (status) {
		*response = (struct lsv_http_response){
			.status = status,
			.length = -1,
			.body = response->body,
		};
		return;
	}
	value = strchr(text, ':');
	if (!value)
		return;
	*value++ = 0;
	set(response, text, value + strspn(value, " \t"));
}
