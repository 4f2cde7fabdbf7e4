/* SPDX-License-Identifier: MIT */
#ifndef LSV_BACKOFF_H
#define LSV_BACKOFF_H

/* Pauses before a request is tried again, each longer than the last. */

#include <stdint.h>

struct lsv_backoff {
	int64_t next_ns; /* the first; then twice as long */
	int64_t max_ns;
};

/* Waits: any time up to the next pause ("full jitter"), so that several
 * clients do not come back all at once. */
void lsv_backoff_wait(struct lsv_backoff *backoff);

#endif
