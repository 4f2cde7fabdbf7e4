/* SPDX-License-Identifier: MIT */
#include "tools/target.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/ship/config.h"
#include "replica/store/url.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add_replica(struct target *target, const char *url)
{
	struct target_replica *replica = &target->replicas[target->n_replicas];
	int r = lsv_client_open(url, NULL, &replica->client);

	if (r < 0)
		return r;
	target->n_replicas++;
	replica->url = strdup(url);
	replica->name = strdup(replica->client->ops->scheme);
	return replica->url && replica->name ? 0 : -ENOMEM;
}

/* As SQLite sees it, behind symbolic links, whether or not the file is there;
 * a new string. */
static char *full_path(const char *path)
{
	char *full = realpath(path, NULL);
	auto_free char *copy = NULL, *again = NULL, *dir = NULL;

	if (full || errno != ENOENT)
		return full;
	copy = strdup(path);
	again = strdup(path);
	dir = copy ? realpath(dirname(copy), NULL) : NULL;
	return dir && again ? lsv_path_join(dir, basename(again)) : NULL;
}

static int find_replicas(struct target *target)
{
	const char *url = getenv("LSVFS_REPLICA_URL");
	auto_free char *expanded = NULL;

	if (!url || !*url)
		return log_error(0,
		                 "%s is no replica, and which one that "
		                 "database has is not known: give the "
		                 "replica's URL, or set LSVFS_REPLICA_URL",
		                 target->db_path),
		       -EINVAL;
	expanded = lsv_config_expand(url, target->db_path);
	if (!expanded)
		return log_error(0,
		                 "cannot use LSVFS_REPLICA_URL: only %%f, %%p "
		                 "and %%%% may follow a percent sign"),
		       -EINVAL;
	return add_replica(target, expanded);
}

int target_open(const char *word, struct target *target)
{
	struct stat st;

	*target = (struct target){0};
	if (lsv_url_has_scheme(word) ||
	    (stat(word, &st) == 0 && S_ISDIR(st.st_mode)))
		return add_replica(target, word);
	target->db_path = full_path(word);
	if (!target->db_path)
		return log_error(-errno, "cannot find %s", word);
	return find_replicas(target);
}

void target_close(struct target *target)
{
	for (size_t i = 0; i < TARGET_REPLICAS; i++) {
		free(target->replicas[i].name);
		free(target->replicas[i].url);
		lsv_client_close(target->replicas[i].client);
	}
	free(target->db_path);
	*target = (struct target){0};
}
