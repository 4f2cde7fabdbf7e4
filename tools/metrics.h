/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_METRICS_H
#define LSVFS_METRICS_H

/* What "lsvfs status -prometheus" prints, for the textfile collector of
 * Prometheus' node exporter; lsvfs(1) has the table of names. */

#include "vfs/status.h"

#include <stddef.h>

/* To stdout; 'grades' are the exit statuses that each of them has alone.
 * -EIO: stdout takes it not. */
int metrics_print(const struct lsv_status *statuses, const int *grades,
                  size_t n);

#endif
