/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIGURE_H
#define LSV_CONFIGURE_H

/*
 * What holds for one database, from four places; a later one has the last
 * word: the configuration file, the environment, the program, the URI.
 */

#include "replica/ship/config.h"

/* What the environment and the program say; right, for that was checked. */
struct lsv_settings {
	const char *environment; /* "name=value name=value" or NULL */
	const char *program;
	const char *replica; /* URL that counts of both, absolute, or NULL */
};

/* Keeps a copy. */
int lsv_configure_init(const struct lsv_settings *settings);

/* For a tool, before anything is opened: replicas beside the one that the
 * program's options name; borrowed.  -EINVAL: not a URL, which was said. */
int lsv_configure_more(const char *const *urls, size_t n);

/* By the database's absolute path, as SQLite hands it to xOpen.  0 with a
 * config that the caller frees, which has no replica when nothing names one;
 * -EINVAL: something is wrong, and was said; -EPERM: that, and nothing may be
 * opened meanwhile (require-config). */
int lsv_configure(const char *name, struct lsv_config *config);

#endif
