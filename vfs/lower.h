/* SPDX-License-Identifier: MIT */
#ifndef LSV_LOWER_H
#define LSV_LOWER_H

/* The VFS below ours (the default one when ours was registered), and the name
 * that ours then got. */

#include "vfs/api.h"

/* NULL: not registered yet. */
sqlite3_vfs *lsv_lower_vfs(void);
/* "litestream" or "lsvfs" */
const char *lsv_vfs_name(void);
void lsv_lower_set_vfs(sqlite3_vfs *vfs, const char *our_name);

#endif
