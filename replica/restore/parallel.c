/* SPDX-License-Identifier: MIT */
#include "replica/restore/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct work {
	lsv_work_fn *fn;
	void *arg;
};

static void *run(void *arg)
{
	const struct work *work = arg;

	work->fn(work->arg);
	return NULL;
}

void lsv_parallel(unsigned n, lsv_work_fn *fn, void *arg)
{
	struct work work = {fn, arg};
	pthread_t *threads = calloc(n, sizeof *threads);
	unsigned n_threads = 0;

	while (threads && n_threads + 1 < n &&
	       pthread_create(&threads[n_threads], NULL, run, &work) == 0)
		n_threads++;
	fn(arg);
	while (n_threads)
		pthread_join(threads[--n_threads], NULL);
	free(threads);
}

unsigned lsv_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
