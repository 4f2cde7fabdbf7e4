/* SPDX-License-Identifier: MIT */

/* One replica of a configuration file: its type, its URL, its settings. */

#include "replica/base/cleanup.h"
#include "replica/base/stream.h"
#include "replica/ship/config_build.h"
#include "replica/ship/config_path.h"
#include "replica/store/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Litestream's other types, and what to do instead. */
static const struct {
	const char *type, *instead;
} refused[] = {
	{"gcs", "use type s3, endpoint https://storage.googleapis.com and an "
                "HMAC key"},
	{"gs", "use type s3, endpoint https://storage.googleapis.com and an "
               "HMAC key"},
	{"abs", "use type s3 with an S3 gateway, or type file"},
	{"sftp", "mount the host (sshfs) and use type file"},
	{"webdav", "mount the share (davfs2) and use type file"},
	{"nats", "use type s3 or type file"},
	{"oss", "use type s3 and endpoint https://oss-REGION.aliyuncs.com"},
};

static struct lsv_mark mark_of(const struct lsv_group *group, const char *name)
{
	const struct lsv_value *value = lsv_group_find(group, name);

	return value ? value->mark : group->mark;
}

static int refuse_type(const struct lsv_group *group, const char *type,
                       struct lsv_problem *problem)
{
	struct lsv_mark mark = mark_of(
		group, lsv_group_find(group, "url") ? "url" : "type");

	for (size_t i = 0; i < LENGTH(refused); i++) {
		if (strcmp(refused[i].type, type) == 0)
			return lsv_problem_set(problem, mark,
			                       "replicas of type %s are not "
			                       "written: %s",
			                       type, refused[i].instead);
	}
	return lsv_problem_set(problem, mark,
	                       "unknown type '%.40s' of a replica: expected "
	                       "file or s3",
	                       type);
}

/* By the URL, else as it says, else a file, as Litestream has it. */
static int type_of(const struct lsv_group *group, bool *is_s3,
                   struct lsv_problem *problem)
{
	const char *url = lsv_group_text(group, "url");
	const char *type = lsv_group_text(group, "type");
	auto_free char *scheme = NULL;

	if (url && *url && !lsv_url_has_scheme(url))
		return lsv_problem_set(problem, mark_of(group, "url"),
		                       "url: expected s3://... or file:///...; "
		                       "a path goes into 'path'");
	if (url && *url) {
		scheme = strndup(url, strcspn(url, ":"));
		if (!scheme)
			return -ENOMEM;
		type = scheme;
	}
	if (!type || !*type)
		type = "file";
	*is_s3 = strcmp(type, "s3") == 0;
	return *is_s3 || strcmp(type, "file") == 0
	               ? 0
	               : refuse_type(group, type, problem);
}

/* What the replica says, else the file for all of them. */
static const struct lsv_value *setting(const struct lsv_group *top,
                                       const struct lsv_group *group,
                                       const char *name)
{
	const struct lsv_value *value = lsv_group_find(group, name);

	if ((value && value->text && *value->text) ||
	    !lsv_schema_find(top->section, name))
		return value;
	return lsv_group_find(top, name);
}

/* Bytes of a path into a URL (percent-encoded) or into a path that
 * lsv_config_expand() will read. */
static int append_path(struct lsv_buf *out, const char *path, bool is_url)
{
	static const char hex[] = "0123456789ABCDEF";
	int r = 0;

	for (const char *p = path; *p && r == 0; p++) {
		unsigned char u = (unsigned char)*p;
		char text[] = {'%', hex[u >> 4], hex[u & 15]};

		if (!is_url && *p == '%')
			r = lsv_buf_append(out, "%%", 2);
		else if (!is_url || isalnum(u) || strchr("-._~/", *p))
			r = lsv_buf_append(out, p, 1);
		else
			r = lsv_buf_append(out, text, sizeof text);
	}
	return r;
}

static int set_url(struct lsv_replica_config *replica, struct lsv_buf *url)
{
	int r = lsv_buf_append(url, "", 1);

	return r < 0 ? r
	             : lsv_replica_config_set(replica, "url",
	                                      (const char *)url->data);
}

static int url_of_s3(const struct lsv_group *top, const struct lsv_group *group,
                     struct lsv_replica_config *replica,
                     struct lsv_problem *problem)
{
	const struct lsv_value *bucket = setting(top, group, "bucket");
	const char *path = lsv_group_text(group, "path");
	auto_buf struct lsv_buf url = {0};
	int r;

	if (!bucket || !*bucket->text)
		return lsv_problem_set(problem, group->mark,
		                       "a replica of type s3 needs a url or a "
		                       "bucket");
	r = lsv_buf_append(&url, "s3://", strlen("s3://"));
	if (r == 0)
		r = lsv_buf_append(&url, bucket->text, strlen(bucket->text));
	while (path && *path == '/')
		path++;
	if (r == 0 && path && *path) {
		r = lsv_buf_append(&url, "/", 1);
		if (r == 0)
			r = append_path(&url, path, true);
	}
	return r < 0 ? r : set_url(replica, &url);
}

static int url_of_file(const struct lsv_group *group,
                       struct lsv_replica_config *replica,
                       struct lsv_problem *problem)
{
	const char *path = lsv_group_text(group, "path");
	auto_buf struct lsv_buf url = {0};
	auto_free char *full = NULL;
	int r;

	if (!path || !*path)
		return lsv_problem_set(problem, group->mark,
		                       "a replica of type file needs a path "
		                       "(or a url)");
	if (lsv_url_is_misspelt(path))
		return lsv_problem_set(problem, mark_of(group, "path"),
		                       "path: '%.80s' is no URL, which has :// "
		                       "and goes into 'url'; a path of that "
		                       "name is written with ./ before it",
		                       path);
	full = lsv_path_expand(path);
	if (!full)
		return lsv_problem_set(problem, mark_of(group, "path"),
		                       "path: cannot make '%.80s' absolute: "
		                       "there is no home or no working "
		                       "directory",
		                       path);
	r = append_path(&url, full, false);
	return r < 0 ? r : set_url(replica, &url);
}

static int check_path(const struct lsv_group *group,
                      struct lsv_problem *problem)
{
	const char *url = lsv_group_text(group, "url");
	const char *path = lsv_group_text(group, "path");
	const char *bucket = lsv_group_text(group, "bucket");

	if (path && lsv_url_has_scheme(path))
		return lsv_problem_set(problem, mark_of(group, "path"),
		                       "path: '%.80s' is a URL: it goes into "
		                       "'url'",
		                       path);
	if (url && *url && path && *path)
		return lsv_problem_set(problem, mark_of(group, "path"),
		                       "path: there is a url, too: the path "
		                       "stands in it");
	if (url && *url && bucket && *bucket)
		return lsv_problem_set(problem, mark_of(group, "bucket"),
		                       "bucket: there is a url, too: the "
		                       "bucket stands in it");
	return 0;
}

/* YAML's words for a boolean are more than ours. */
static const char *plain(const struct lsv_value *value)
{
	if (value->key->type != LSV_KEY_BOOL)
		return value->text;
	return lsv_group_parse_bool(value->text) == 1 ? "1" : "0";
}

static int apply_settings(const struct lsv_group *top,
                          const struct lsv_group *group,
                          struct lsv_replica_config *replica,
                          struct lsv_problem *problem)
{
	const char *const *name = lsv_replica_config_names();
	int r = 0;

	for (; r == 0 && *name; name++) {
		const struct lsv_value *value = setting(top, group, *name);

		if (!value || strcmp(*name, "url") == 0)
			continue;
		r = lsv_replica_config_set(replica, *name, plain(value));
		if (r == -EINVAL)
			lsv_problem_set(problem, value->mark,
			                "%s: not a value of it", *name);
	}
	return r;
}

int lsv_config_build_replica(const struct lsv_group *top,
                             const struct lsv_group *group,
                             struct lsv_replica_config *replica,
                             struct lsv_problem *problem)
{
	const char *url = lsv_group_text(group, "url");
	bool is_s3 = false;
	int r = check_path(group, problem);

	if (r == 0)
		r = type_of(group, &is_s3, problem);
	if (r < 0)
		return r;
	if (url && *url)
		r = lsv_replica_config_set(replica, "url", url);
	else if (is_s3)
		r = url_of_s3(top, group, replica, problem);
	else
		r = url_of_file(group, replica, problem);
	return r < 0 ? r : apply_settings(top, group, replica, problem);
}

int lsv_config_append_path(struct lsv_replica_config *replica,
                           const char *below)
{
	bool is_url = lsv_url_has_scheme(replica->url);
	size_t n = is_url ? strcspn(replica->url, "?") : strlen(replica->url);
	const char *rest = replica->url + n;
	auto_buf struct lsv_buf url = {0};
	int r;

	while (n > 0 && replica->url[n - 1] == '/')
		n--;
	r = lsv_buf_append(&url, replica->url, n);
	if (r == 0)
		r = lsv_buf_append(&url, "/", 1);
	if (r == 0)
		r = append_path(&url, below, is_url);
	if (r == 0)
		r = lsv_buf_append(&url, rest, strlen(rest));
	return r < 0 ? r : set_url(replica, &url);
}
