/* SPDX-License-Identifier: MIT */
#include "vfs/configure.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/url.h"
#include "vfs/api.h"
#include "vfs/conf_cache.h"

#include <errno.h>
#include <string.h>

static char *environment, *program, *replica_url;
static const char *const *more_urls; /* beside replica_url */
static size_t n_more;

static char *copy_of(const char *text, int *r)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (text && *text && !copy)
		*r = -ENOMEM;
	return copy;
}

int lsv_configure_init(const struct lsv_settings *settings)
{
	int r = 0;

	environment = copy_of(settings->environment, &r);
	program = copy_of(settings->program, &r);
	replica_url = copy_of(settings->replica, &r);
	return r;
}

int lsv_configure_more(const char *const *urls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *sample = lsv_config_expand(urls[i],
		                                           "/sample.db");
		char shown[LSV_URL_SHOWN_SIZE];

		lsv_url_show(urls[i], shown, sizeof shown);
		if (!sample)
			return log_error(-EINVAL,
			                 "cannot use the replica URL '%s': "
			                 "only %%f, %%p and %%%% may follow a "
			                 "percent sign",
			                 shown);
	}
	more_urls = urls;
	n_more = n;
	return 0;
}

/* A URL that can never work is said once, and nothing is replicated there. */
static int check_replica(const char *name,
                         const struct lsv_replica_config *replica)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static char *refused; /* the last one */
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	if (refused && strcmp(refused, replica->url) == 0)
		return -EINVAL;
	if (lsv_replica_config_check(replica, name) == 0)
		return 0;
	free(refused);
	refused = strdup(replica->url);
	return -EINVAL;
}

/* What the options say of replicas, for this database. */
static int settle(const char *name, struct lsv_config *config)
{
	size_t twin = 0;
	int r = lsv_config_expand_all(config, name);

	for (size_t i = 0; i < config->n_replicas && r == 0; i++)
		r = check_replica(name, &config->replicas[i]);
	if (r == 0)
		r = lsv_config_settle(config, &twin);
	if (r == -EEXIST)
		log_error(0,
		          "cannot replicate %s: another of its replicas is "
		          "named %s or is at %s, too",
		          name, config->replicas[twin].name,
		          config->replicas[twin].url);
	return r;
}

/* Named by its type, as everywhere; where there is one of that name already, by
 * a number, too. */
static int name_more(const struct lsv_config *config,
                     struct lsv_replica_config *replica)
{
	char scheme[LSV_REPLICA_NAME_SIZE], other[LSV_REPLICA_NAME_SIZE];
	size_t n = 1;

	lsv_replica_config_scheme(replica, scheme);
	for (size_t i = 0; i < config->n_replicas; i++) {
		lsv_replica_config_scheme(&config->replicas[i], other);
		n += strcmp(scheme, other) == 0;
	}
	replica->name = n == 1 ? strdup(scheme)
	                       : lsv_sprintf("%s%zu", scheme, n);
	return replica->name ? 0 : -ENOMEM;
}

static int add_more(struct lsv_config *config, const char *url)
{
	struct lsv_replica_config replica;
	int r;

	lsv_replica_config_init(&replica);
	r = lsv_replica_config_set(&replica, "url", url);
	if (r == 0)
		r = name_more(config, &replica);
	if (r == 0)
		r = lsv_config_add(config, &replica);
	if (r < 0)
		lsv_replica_config_free(&replica);
	return r;
}

static int apply_settings(struct lsv_config *config)
{
	int r = 0;

	if (environment)
		r = lsv_config_set_words(config, environment, NULL);
	if (r == 0 && program)
		r = lsv_config_set_words(config, program, NULL);
	if (r == 0 && replica_url)
		r = lsv_config_set(config, "replica", replica_url);
	for (size_t i = 0; i < n_more && r == 0; i++)
		r = add_more(config, more_urls[i]);
	return r;
}

static int apply_uri(const char *name, struct lsv_config *config)
{
	const char *key;
	int r = 0;

	for (size_t i = 0; r == 0 && (key = lsv_config_name(i)) != NULL; i++) {
		const char *value = sqlite3_uri_parameter(name, key);

		if (!value)
			continue;
		r = lsv_config_set(config, key, value);
		if (r < 0)
			log_error(0,
			          "cannot replicate %s: '%s' is not a value of "
			          "%s; see lsvfs-vfs(7)",
			          name, value, key);
	}
	return r;
}

static bool must_fail(const char *name, bool is_required)
{
	if (is_required)
		log_error(0,
		          "%s is not opened: require-config is set, and the "
		          "configuration cannot be used",
		          name);
	return is_required;
}

int lsv_configure(const char *name, struct lsv_config *config)
{
	bool is_required = false;
	int found = lsv_conf_cache_find(name, config, &is_required);
	int r;

	if (found == -ENOMEM)
		return found;
	r = apply_settings(config);
	if (r == 0)
		r = apply_uri(name, config);
	is_required |= config->require_config;
	if (found == -ENOENT && is_required && !lsv_conf_cache_is_there())
		found = -EINVAL;
	if (found == -EINVAL && must_fail(name, is_required))
		r = -EPERM;
	return r < 0 ? r : settle(name, config);
}
