/* SPDX-License-Identifier: MIT */
#ifndef LSV_LEADER_H
#define LSV_LEADER_H

/*
 * The one process that copies and ships: who holds the classic POSIX lock
 * (F_SETLK) on generations/<gen>/lock.  OFD locks would leak into forked
 * children.  The file is opened once a process and generation, and never
 * closed while the lock matters (I8).
 */

#include <stdbool.h>
#include <sys/types.h>

/* Opens the lock file (making it), takes no lock. */
int lsv_leader_open(const char *gen_dir, mode_t mode, int *fd);
/* True: the lock is (again) ours; asked before each append and each put. */
bool lsv_leader_lock(int fd);
void lsv_leader_unlock(int fd);
/* Another process has it. */
bool lsv_leader_is_locked(int fd);

#endif
