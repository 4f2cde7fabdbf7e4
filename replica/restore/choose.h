/* SPDX-License-Identifier: MIT */
#ifndef LSV_CHOOSE_H
#define LSV_CHOOSE_H

/* Which generation holds a target. */

#include "replica/restore/bounds.h"
#include "replica/restore/plan.h"

/* 0, -ENOENT (said) or why the replica cannot be read. */
int lsv_choose_generation(struct lsv_client *client,
                          const struct lsv_catalog *catalog,
                          const struct lsv_target *target,
                          struct lsv_bounds *chosen);

#endif
