/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_EXITS_H
#define LSVFS_EXITS_H

/* What every command's exit status means (design.md section 9). */

enum exits {
	EXITS_DONE = 0, /* proven or done */
	EXITS_FAILED = 1,
	EXITS_USAGE = 2,
	EXITS_NOTHING = 3, /* nothing restorable for that target */
	EXITS_DAMAGED = 4, /* the replica is; the object is named */
	EXITS_EXISTS = 5,  /* the output does, or is in use */
};

/* From a result of ours; what has no log line of its own gets one. */
enum exits exits_of(int r);

/* Errors of a command go to stderr as "error: ...", warnings as
 * "warning: ...", at the level of $LSVFS_LOG (default: warn). */
void tools_log_init(void);

#endif
