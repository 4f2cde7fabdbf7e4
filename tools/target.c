/* SPDX-License-Identifier: MIT */
#include "tools/target.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/url.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add_replica(struct target *target, const char *name, const char *url,
                       const struct lsv_client_options *options)
{
	struct target_replica *replica = &target->replicas[target->n_replicas];
	int r = lsv_client_open(url, options, &replica->client);

	if (r < 0)
		return r;
	target->n_replicas++;
	replica->url = strdup(url);
	replica->name = strdup(name ? name : replica->client->ops->scheme);
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

static bool is_wanted(const struct target_options *options,
                      const struct lsv_replica_config *replica)
{
	return !options->replica ||
	       strcmp(options->replica, replica->name) == 0;
}

static int no_such_replica(const struct target *target,
                           const struct target_options *options)
{
	log_error(0,
	          "%s has no replica named %s; lsvfs databases tells their "
	          "names",
	          target->db_path, options->replica);
	return -EINVAL;
}

static int add_replicas(struct target *target,
                        const struct target_options *options,
                        const struct lsv_config *config)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->n_replicas; i++) {
		const struct lsv_replica_config *replica = &config->replicas[i];

		if (is_wanted(options, replica))
			r = add_replica(target, replica->name, replica->url,
			                &replica->options);
	}
	return r == 0 && target->n_replicas == 0
	               ? no_such_replica(target, options)
	               : r;
}

static int unknown(const struct target *target,
                   const struct target_options *options)
{
	if (options->configuration.path)
		log_error(0, "%s is not in %s: lsvfs databases tells what is",
		          target->db_path, options->configuration.path);
	else
		log_error(0,
		          "%s is no replica, and which one that database has "
		          "is not known: give the replica's URL, -config FILE, "
		          "or set LSVFS_CONFIG or LSVFS_REPLICA_URL",
		          target->db_path);
	return -EINVAL;
}

static int find_replicas(const char *word, struct target *target,
                         const struct target_options *options)
{
	struct lsv_config config;
	int r = configuration_find(&options->configuration, target->db_path,
	                           &config);

	if (r == -ENOENT && options->may_be_path &&
	    !options->configuration.path) {
		free(take(target->db_path));
		return add_replica(target, NULL, word, NULL);
	}
	if (r == -ENOENT)
		return unknown(target, options);
	if (r < 0)
		return r;
	r = add_replicas(target, options, &config);
	lsv_config_free(&config);
	return r;
}

static bool is_url(const char *word)
{
	struct stat st;

	return lsv_url_has_scheme(word) || lsv_url_is_misspelt(word) ||
	       (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

static int open_url(const char *word, const struct target_options *options,
                    struct target *target)
{
	if (options->configuration.path || options->replica)
		return log_error(0,
		                 "%s is a replica itself: -config and -replica "
		                 "go with a database",
		                 word),
		       -EINVAL;
	return add_replica(target, NULL, word, NULL);
}

int target_open(const char *word, const struct target_options *options,
                struct target *target)
{
	*target = (struct target){0};
	if (is_url(word))
		return open_url(word, options, target);
	target->db_path = full_path(word);
	if (target->db_path)
		return find_replicas(word, target, options);
	if (options->may_be_path && !options->configuration.path)
		return add_replica(target, NULL, word, NULL);
	return log_error(-errno, "cannot find %s", word);
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
