/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_host.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

/*
 * The forms of hosts, a label each: '?' is any one, '@' is the region.  Before
 * them stands the bucket.  What is not among them is a bucket of AWS.
 */
static const struct form {
	const char *labels;
	const char *region; /* NULL: in the name, or not said */
	bool is_aws;
} forms[] = {
	{"s3.amazonaws.com", NULL, true},
	{"s3.@.amazonaws.com", NULL, true},
	{"s3.@.amazonaws.com.cn", NULL, true},
	{"s3.@.backblazeb2.com", NULL, false},
	{"s3.filebase.com", "us-east-1", false},
	{"@.digitaloceanspaces.com", NULL, false},
	{"s3.@.scw.cloud", NULL, false},
	{"@.linodeobjects.com", NULL, false},
	{"s3.wasabisys.com", "us-east-1", false},
	{"s3.@.wasabisys.com", NULL, false},
	{"?.r2.cloudflarestorage.com", "auto", false},
	{"?.eu.r2.cloudflarestorage.com", "auto", false},
	{"fly.storage.tigris.dev", "auto", false},
	{"t3.storage.dev", "auto", false},
	{"storage.googleapis.com", "auto", false},
	{"@.your-objectstorage.com", NULL, false},
};

static size_t count_labels(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '.';
	return n;
}

/* The last n labels of a name; NULL: it has fewer. */
static const char *last_labels(const char *name, size_t n)
{
	size_t have = count_labels(name);

	if (have < n)
		return NULL;
	for (; have > n; have--)
		name = strchr(name, '.') + 1;
	return name;
}

/* Whether 'name' is of that form; the region's label then is at *region. */
static bool matches(const char *labels, const char *name, const char **region,
                    size_t *n_region)
{
	while (*labels) {
		size_t n = strcspn(labels, "."), m = strcspn(name, ".");

		if (*labels == '@') {
			*region = name;
			*n_region = m;
		} else if (*labels != '?' &&
		           (n != m || strncasecmp(labels, name, n) != 0)) {
			return false;
		}
		labels += n + (labels[n] == '.');
		name += m + (name[m] == '.');
	}
	return true;
}

/* bucket.<form>[:port] */
static int fill(const struct form *form, const char *host, const char *tail,
                const char *port, struct lsv_s3_host *out)
{
	const char *region = NULL;
	size_t n_bucket = tail > host ? (size_t)(tail - host - 1) : 0;
	size_t n_region = 0;

	(void)matches(form->labels, tail, &region, &n_region);
	out->bucket = strndup(host, n_bucket);
	if (region)
		out->region = strndup(region, n_region);
	else if (form->region)
		out->region = strdup(form->region);
	if (!form->is_aws)
		out->endpoint = lsv_sprintf("https://%s%s", tail, port);
	out->is_path_style = !form->is_aws;
	if (!out->bucket || (!form->is_aws && !out->endpoint) ||
	    ((region || form->region) && !out->region))
		return -ENOMEM;
	return 0;
}

/* bucket.host:port, and bucket.localhost. */
static int fill_local(const char *host, const char *port,
                      struct lsv_s3_host *out)
{
	const char *dot = strchr(host, '.');
	const char *rest = dot ? dot + 1 : host;
	size_t n = strlen(host), n_local = strlen(".localhost");

	/* A bucket's name may have dots itself. */
	if (n > n_local && strcasecmp(host + n - n_local, ".localhost") == 0)
		rest = host + n - n_local + 1;
	out->bucket = rest > host ? strndup(host, (size_t)(rest - host - 1))
	                          : strdup("");
	out->region = strdup("us-east-1");
	out->endpoint = lsv_sprintf("http://%s%s", rest, port);
	out->is_path_style = true;
	return out->bucket && out->region && out->endpoint ? 0 : -ENOMEM;
}

static int fill_aws(const char *host, struct lsv_s3_host *out)
{
	out->bucket = strdup(host);
	return out->bucket ? 0 : -ENOMEM;
}

static int parse(const char *host, const char *port, struct lsv_s3_host *out)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const char *tail = last_labels(host,
		                               count_labels(forms[i].labels));
		const char *region;
		size_t n_region;

		if (tail && matches(forms[i].labels, tail, &region, &n_region))
			return fill(&forms[i], host, tail, port, out);
	}
	if (*port || fnmatch("*.localhost", host, 0) == 0 ||
	    strcasecmp(host, "localhost") == 0)
		return fill_local(host, port, out);
	return fill_aws(host, out);
}

int lsv_s3_host_parse(const char *text, struct lsv_s3_host *host)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	auto_free char *name = strndup(text, n);
	struct lsv_s3_host out = {0};
	int r = name ? parse(name, colon ? colon : "", &out) : -ENOMEM;

	if (r < 0)
		lsv_s3_host_free(&out);
	else
		*host = out;
	return r;
}

void lsv_s3_host_free(struct lsv_s3_host *host)
{
	free(take(host->bucket));
	free(take(host->region));
	free(take(host->endpoint));
}

/* Hosts that nobody has a certificate for. */
static bool is_private(const char *text)
{
	static const char *const patterns[] = {
		"localhost",    "127.*",        "*.localhost",
		"*.local",      "10.*",         "192.168.*",
		"172.1[6-9].*", "172.2[0-9].*", "172.3[01].*",
	};
	auto_free char *host = strndup(text, strcspn(text, ":/"));

	for (size_t i = 0; host && i < sizeof patterns / sizeof *patterns;
	     i++) {
		if (fnmatch(patterns[i], host, 0) == 0)
			return true;
	}
	return false;
}

char *lsv_s3_endpoint(const char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == '/')
		n--;
	if (strncasecmp(text, "http://", 7) == 0 ||
	    strncasecmp(text, "https://", 8) == 0)
		return strndup(text, n);
	return lsv_sprintf("%s://%.*s", is_private(text) ? "http" : "https",
	                   (int)n, text);
}
