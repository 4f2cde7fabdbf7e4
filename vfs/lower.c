/* SPDX-License-Identifier: MIT */
#include "vfs/lower.h"

static sqlite3_vfs *lower_vfs;
static const char *vfs_name;

sqlite3_vfs *lsv_lower_vfs(void)
{
	return lower_vfs;
}

const char *lsv_vfs_name(void)
{
	return vfs_name;
}

void lsv_lower_set_vfs(sqlite3_vfs *vfs, const char *our_name)
{
	lower_vfs = vfs;
	vfs_name = our_name;
}
