/* SPDX-License-Identifier: MIT */
#include "tools/command.h"
#include "tools/exits.h"
#include "vfs/lsvfs.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
	if (argc > 1)
		return command_takes_nothing(argv);
	printf("lsvfs %s\n", lsvfs_version());
	return EXITS_DONE;
}
