/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_RESTORE_RUN_H
#define LSVFS_RESTORE_RUN_H

/* All of lsvfs-restore(1), which "lsvfs restore" is, too: argv[0] is its name;
 * the exit status. */
int restore_run(int argc, char **argv);

#endif
