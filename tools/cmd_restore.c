/* SPDX-License-Identifier: MIT */

/* lsvfs restore: lsvfs-restore(1) under the name that Litestream has for it. */

#include "tools/command.h"
#include "tools/restore_run.h"

int cmd_restore(int argc, char **argv)
{
	return restore_run(argc, argv);
}
