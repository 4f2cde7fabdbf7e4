/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_BUILD_H
#define LSV_CONFIG_BUILD_H

/* From what stands in a configuration file to what it means. */

#include "replica/ship/config_file.h"

/* Fills in dbs, logging and exec.  -EINVAL, with 'problem'; -ENOMEM.  What
 * was built until then stays the file's. */
int lsv_config_build(const struct lsv_group *top, struct lsv_config_file *file,
                     struct lsv_problem *problem);

/* The replica of 'group' in the file 'top'.  In config_build_replica.c. */
int lsv_config_build_replica(const struct lsv_group *top,
                             const struct lsv_group *group,
                             struct lsv_replica_config *replica,
                             struct lsv_problem *problem);

/* The same replica for the database at 'below' in a folder that it is for:
 * 'below' goes behind its path. */
int lsv_config_append_path(struct lsv_replica_config *replica,
                           const char *below);

#endif
