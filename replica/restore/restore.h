/* SPDX-License-Identifier: MIT */
#ifndef LSV_RESTORE_H
#define LSV_RESTORE_H

/*
 * A database out of a replica.  0 is a promise (I10): the file is the
 * database as it was at the commit that 'restored' names.
 *
 *	list ─► plan ─► fetch, apply ─► prove ─► fsync, rename
 */

#include "replica/restore/plan.h"
#include "replica/restore/verify.h"

#include <signal.h>

/* done of total compressed bytes; called by any thread, never by two. */
typedef void lsv_progress_fn(void *arg, uint64_t done, uint64_t total);

struct lsv_restore_options {
	const char *output;
	unsigned parallelism; /* transfers at a time; 0: as fits the replica */
	bool force;
	bool has_check; /* else: what the replica needs for a proof */
	enum lsv_check check;
	lsv_progress_fn *progress; /* may be NULL */
	void *arg;
	const volatile sig_atomic_t *cancelled; /* may be NULL */
};

struct lsv_restored {
	struct lsv_pos pos; /* of stock's: the last segment's */
	uint64_t txid;      /* 0: Litestream wrote the replica */
	int64_t time_ns;
	uint64_t size;
	uint32_t page_size; /* 0: not known */
	uint64_t page_hash; /* 0: Litestream wrote the replica */
};

/* Restores what 'plan' says.  -EBADMSG: damaged; -EEXIST, -EBUSY: the output
 * is there; -ECANCELED; all said. */
int lsv_restore(struct lsv_client *client, const struct lsv_plan *plan,
                const struct lsv_restore_options *options,
                struct lsv_restored *restored);

#endif
