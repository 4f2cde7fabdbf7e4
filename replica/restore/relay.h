/* SPDX-License-Identifier: MIT */
#ifndef LSV_RELAY_H
#define LSV_RELAY_H

/*
 * A writer whose writes another thread does, in their order:
 *
 *	giver   put 0 │ put 1 │ put 2 │ ...        (full: waits)
 *	taker         │ write 0 ..│ write 1 ..│    (empty: waits)
 *
 * Without a taker the giver does them itself.
 */

#include "replica/base/stream.h"

#include <pthread.h>
#include <stdbool.h>

#define LSV_RELAY_SLOTS 4
#define LSV_RELAY_SLOT ((size_t)512 * 1024)

struct lsv_relay {
	struct lsv_writer base;
	struct lsv_writer *into; /* borrowed */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint8_t *bytes; /* of all slots */
	size_t n[LSV_RELAY_SLOTS];
	uint64_t n_put;
	uint64_t n_taken;
	bool has_taker;
	bool is_writing; /* the taker */
	bool has_ended;
	int error; /* the first one stays */
};

void lsv_relay_init(struct lsv_relay *relay);
void lsv_relay_free(struct lsv_relay *relay);

/* The giver's: base.write, from here on until lsv_relay_end(), which waits for
 * all writes and gives their error. */
int lsv_relay_begin(struct lsv_relay *relay, struct lsv_writer *into);
int lsv_relay_end(struct lsv_relay *relay);

/* The taker's: takes until the end.  Any number may ask; one becomes it. */
void lsv_relay_take(struct lsv_relay *relay);

/* Anybody's: it ends here, with this error, for giver and taker. */
void lsv_relay_fail(struct lsv_relay *relay, int error);

#endif
