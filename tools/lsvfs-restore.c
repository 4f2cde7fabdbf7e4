/* SPDX-License-Identifier: MIT */

/* lsvfs-restore(1). */

#include "tools/exits.h"
#include "tools/restore_run.h"

int main(int argc, char **argv)
{
	tools_log_init();
	return restore_run(argc, argv);
}
