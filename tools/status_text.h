/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_STATUS_TEXT_H
#define LSVFS_STATUS_TEXT_H

/* A database's status for a person. */

#include "vfs/status.h"

/* To stdout; in colours on a terminal that has them. */
void status_print(const struct lsv_status *status);

#endif
