/* SPDX-License-Identifier: MIT */
#ifndef LSV_PARALLEL_H
#define LSV_PARALLEL_H

/* The same work in several threads, until all are done. */

typedef void lsv_work_fn(void *arg);

/* Runs fn(arg) in n threads, the caller's among them.  Fewer when the system
 * gives no more: fn must not count on the others. */
void lsv_parallel(unsigned n, lsv_work_fn *fn, void *arg);

/* How many processors there are to work with, at least 1. */
unsigned lsv_processors(void);

#endif
