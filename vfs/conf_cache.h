/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONF_CACHE_H
#define LSV_CONF_CACHE_H

/*
 * The configuration file of this process: read at the first open of a
 * database, and again at a later open when its stat changed.  A file that is
 * wrong is said once, until it changes.
 */

#include "replica/ship/config.h"

#include <stdbool.h>

/* What the file says of a database.  0; -ENOENT: nothing, or there is no
 * file; -EINVAL: it is wrong, which was said; for both 'config' has the
 * defaults.  -ENOMEM: nothing is in it.  *is_required is set when the file says
 * require-config. */
int lsv_conf_cache_find(const char *db_path, struct lsv_config *config,
                        bool *is_required);

/* For a tool, before anything is opened: this file, and no other. */
void lsv_conf_cache_set(const char *path, bool expand_env);

/* Whether there is a file at all. */
bool lsv_conf_cache_is_there(void);

#endif
