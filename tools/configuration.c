/* SPDX-License-Identifier: MIT */
#include "tools/configuration.h"

#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "tools/exits.h"
#include "tools/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

bool configuration_option(int c, const char *value, struct configuration *which)
{
	if (c == 'c')
		which->path = value;
	if (c == 'e')
		which->no_expand_env = true;
	return c == 'c' || c == 'e';
}

int configuration_options(int argc, char **argv, const char *usage,
                          struct configuration *which, bool *is_json)
{
	static const struct option options[] = {
		CONFIGURATION_CONFIG,
		CONFIGURATION_NO_EXPAND_ENV,
		{"json", no_argument, NULL, 'j'},
		OPTION_HELP,
		{0},
	};
	int c;

	while ((c = option_next(argc, argv, options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0;
		if (c == '?')
			return EXITS_USAGE;
		if (!configuration_option(c, optarg, which))
			*is_json |= c == 'j';
	}
	return -1;
}

int configuration_read(const struct configuration *which,
                       struct lsv_config_file **out)
{
	const char *path = lsv_config_file_where(which->path);
	auto_free char *why = NULL;
	bool is_required = false;
	int r;

	*out = NULL;
	if (!path)
		return 0;
	r = lsv_config_file_read(path, !which->no_expand_env, out, &why,
	                         &is_required);
	if (r < 0)
		log_error(0, "%s", why ? why : "out of memory");
	/* Whatever it is: the command line or the file is to be mended. */
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

static int find_in_file(const struct configuration *which, const char *db_path,
                        struct lsv_config *config)
{
	auto_configuration struct lsv_config_file *file = NULL;
	int r = configuration_read(which, &file);

	if (r == 0)
		r = file ? lsv_config_file_find(file, db_path, config)
		         : -ENOENT;
	return r;
}

/* $LSVFS_OPTIONS and $LSVFS_REPLICA_URL, as the engine reads them. */
static int apply_environment(struct lsv_config *config)
{
	const char *words = getenv("LSVFS_OPTIONS");
	const char *url = getenv("LSVFS_REPLICA_URL");
	auto_free char *bad = NULL;
	int r = 0;

	if (words)
		r = lsv_config_set_words(config, words, &bad);
	if (r < 0)
		return log_error(0, "cannot use '%s' in LSVFS_OPTIONS",
		                 bad ? bad : words),
		       r;
	return url && *url ? lsv_config_set(config, "replica", url) : 0;
}

static int settle(const char *db_path, struct lsv_config *config)
{
	int r = lsv_config_expand_all(config, db_path);

	if (r == -EINVAL)
		return log_error(0, "cannot use the replica's URL: only %%f, "
		                    "%%p and %%%% may follow a percent sign"),
		       r;
	if (r == 0)
		r = lsv_config_settle(config, NULL);
	if (r == -EEXIST)
		return log_error(0, "%s: two of its replicas are one", db_path),
		       -EINVAL;
	return r == 0 && config->n_replicas == 0 ? -ENOENT : r;
}

int configuration_find(const struct configuration *which, const char *db_path,
                       struct lsv_config *config)
{
	struct lsv_config found;
	int r;

	lsv_config_init(&found);
	if (!which->path)
		r = apply_environment(&found);
	else
		r = 0;
	/* What the environment names needs no file. */
	if (r == 0 && found.n_replicas == 0) {
		r = find_in_file(which, db_path, &found);
		if (r == 0 && !which->path)
			r = apply_environment(&found);
	}
	if (r == 0)
		r = settle(db_path, &found);
	if (r == 0)
		*config = found;
	else
		lsv_config_free(&found);
	return r;
}
