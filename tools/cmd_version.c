/* SPDX-License-Identifier: MIT */
#include "tools/command.h"
#include "tools/exits.h"
#include "vfs/lsvfs.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("lsvfs %s\n", lsvfs_version());
	return EXITS_DONE;
}
