/* SPDX-License-Identifier: MIT */
#ifndef LSV_LOGGING_H
#define LSV_LOGGING_H

/* Where the lines of an application's process go, as "logging:" of the
 * configuration says. */

struct lsv_logging;

/* $LSVFS_LOG has the last word on the level.  A process that has a sink of its
 * own (a tool) keeps it, and its level. */
void lsv_logging_apply(const struct lsv_logging *logging);

#endif
