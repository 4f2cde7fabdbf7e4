/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_VICTIM_H
#define LSV_TEST_VICTIM_H

/*
 * A process that commits until it is killed: app.db in the current folder.
 * Each acknowledged commit is told to memory that outlives it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct acknowledged {
	_Atomic(int64_t) n;         /* the highest commit */
	_Atomic(uint64_t) n_failed; /* commits that failed for no reason */
};

/* Starts one, in a process group of its own; it and what it forks.  With us in
 * it, or 'is_bare'. */
pid_t victim_begin(uint64_t seed, bool is_bare,
                   struct acknowledged *acknowledged);

#endif
