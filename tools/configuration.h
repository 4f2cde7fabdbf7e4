/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_CONFIGURATION_H
#define LSVFS_CONFIGURATION_H

/* The configuration file as the commands see it: -config and -no-expand-env
 * of each, and which replicas a database has. */

#include "replica/ship/config_file.h"

/* What the command line says. */
struct configuration {
	const char *path;   /* -config; NULL: as programs find it */
	bool no_expand_env; /* -no-expand-env */
};

/* Rows of a table for option_next(), and what to do with what it returns:
 * true: it was one of them. */
#define CONFIGURATION_CONFIG                                                   \
	{                                                                      \
		"config", required_argument, NULL, 'c'                         \
	}
#define CONFIGURATION_NO_EXPAND_ENV                                            \
	{                                                                      \
		"no-expand-env", no_argument, NULL, 'e'                        \
	}
bool configuration_option(int c, const char *value,
                          struct configuration *which);

/* The options of a command that has -config, -no-expand-env, -json and -help
 * only.  -1: go on, at optind; else the exit status, and all was said. */
int configuration_options(int argc, char **argv, const char *usage,
                          struct configuration *which, bool *is_json);

/* Reads it.  0 with NULL: there is none.  -EINVAL: it is wrong, and that was
 * said; -ENOENT and others: the one that is named cannot be read, said. */
int configuration_read(const struct configuration *which,
                       struct lsv_config_file **out);

/* What a program would be told of the database, settled and expanded.  A file
 * that -config names comes before the environment, any other behind it, as in
 * programs.  -ENOENT: nothing names a replica; -EINVAL: said. */
int configuration_find(const struct configuration *which, const char *db_path,
                       struct lsv_config *config);

#define auto_configuration __attribute__((cleanup(configuration_free)))
static inline void configuration_free(struct lsv_config_file **file)
{
	lsv_config_file_free(*file);
}

#endif
