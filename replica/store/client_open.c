/* SPDX-License-Identifier: MIT */

/* Which client serves a URL: one row a scheme. */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/client.h"
#include "replica/store/url.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int refuse(const char *url, const char *why)
{
	char shown[LSV_URL_SHOWN_SIZE];

	lsv_url_show(url, shown, sizeof shown);
	log_error(0, "cannot open replica '%s': %s", shown, why);
	return -EINVAL;
}

static int open_file(const char *url, const char *rest,
                     const struct lsv_client_options *options,
                     struct lsv_client **out)
{
	auto_free char *path = NULL;
	int r = lsv_url_file_path(rest, &path);

	(void)options;
	if (r < 0)
		return refuse(url, "expected file:///path, with %XX for bytes "
		                   "that a URL cannot have");
	return lsv_client_file(path, out);
}

static int open_s3(const char *url, const char *rest,
                   const struct lsv_client_options *options,
                   struct lsv_client **out)
{
	/* A hiccup is nobody's business; an outage costs one request each
	 * time that somebody asks. */
	static const struct lsv_retry policy = {
		.n_tries = 4,
		.first_ns = 200 * LSV_NS_PER_MS,
		.max_ns = 5 * LSV_NS_PER_S,
		.patience_ns = 20 * LSV_NS_PER_S,
		.once_while_down = true,
	};
	struct lsv_client *client;
	int r = lsv_client_s3(url, options, &client);

	(void)rest;
	return r < 0 ? r : lsv_client_retry(client, &policy, out);
}

static const struct {
	const char *prefix;
	int (*open)(const char *url, const char *rest,
	            const struct lsv_client_options *options,
	            struct lsv_client **out);
} schemes[] = {
	{"file://", open_file},
	{"s3://", open_s3},
};

int lsv_client_open(const char *url, const struct lsv_client_options *options,
                    struct lsv_client **out)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncasecmp(url, schemes[i].prefix, n) == 0)
			return schemes[i].open(url, url + n, options, out);
	}
	if (lsv_url_has_scheme(url))
		return refuse(url, "unknown scheme, use a path, file:///path "
		                   "or s3://bucket/prefix");
	if (lsv_url_is_misspelt(url))
		return refuse(url, "a URL has :// behind its scheme, as in "
		                   "file:///path or s3://bucket/prefix; a path "
		                   "of that name is written with ./ before it");
	return lsv_client_file(url, out);
}

const char *lsv_client_why(const struct lsv_client *client, int r)
{
	return client->why && client->why[0] ? client->why : strerror(-r);
}
