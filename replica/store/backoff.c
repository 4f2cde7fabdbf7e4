/* SPDX-License-Identifier: MIT */
#include "replica/store/backoff.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"

#include <time.h>

void lsv_backoff_wait(struct lsv_backoff *backoff)
{
	int64_t ns = backoff->next_ns;
	uint32_t chance = 0;
	struct timespec ts;

	if (lsv_random(&chance, sizeof chance) == 0)
		ns = (int64_t)((double)ns * (chance / 4294967296.0));
	ts.tv_sec = ns / LSV_NS_PER_S;
	ts.tv_nsec = ns % LSV_NS_PER_S;
	nanosleep(&ts, NULL);
	backoff->next_ns *= 2;
	if (backoff->next_ns > backoff->max_ns)
		backoff->next_ns = backoff->max_ns;
}
