/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_BESIDE_H
#define LSV_TEST_BESIDE_H

/*
 * `lsvfs replicate` as a process beside those that write app.db in the current
 * folder, which do not have us: started, stopped, killed and ended.  What it
 * says goes to replicate.log.
 */

#include "test/crash/dice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct beside {
	pid_t pid; /* 0: it is not there */
	bool is_stopped;
	uint32_t n_falls; /* how often it was stopped, killed or ended */
	uint32_t n_kills;
};

/* Starts it, where it is not there.  To $LSVFS_REPLICA_URL. */
void beside_begin(struct beside *beside);
void beside_kill(struct beside *beside);
/* Returns when it stands still. */
void beside_stop(struct beside *beside);
void beside_continue(struct beside *beside);
/* SIGTERM; its exit status, with 128 + signal.  Dies when it does not end. */
int beside_end(struct beside *beside);
/* One of these. */
void beside_meddle(struct beside *beside, struct dice *dice);

#endif
