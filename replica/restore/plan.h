/* SPDX-License-Identifier: MIT */
#ifndef LSV_PLAN_H
#define LSV_PLAN_H

/*
 * What a restore takes of a replica: one snapshot, and the segments behind it
 * up to the target.
 *
 *	snapshot N │ N_00000000 │ N_00001234 │ N+1_00000000 │ ...
 *	           └──────────────────── segments ──── target ┘
 *
 * A plan is made from names and a few tails; what the objects hold is proven
 * when they are fetched.  That no commit is missing where the target is shows
 * in the first object behind (sequel.c).
 */

#include "replica/format/table.h"
#include "replica/store/catalog.h"

enum lsv_target_kind {
	LSV_TARGET_LATEST,
	LSV_TARGET_TIME,  /* the last commit at or before it */
	LSV_TARGET_TXID,  /* this commit, or the last before it */
	LSV_TARGET_INDEX, /* the end of this index */
};

struct lsv_target {
	enum lsv_target_kind kind;
	uint64_t generation; /* 0: the one that holds the target */
	int64_t time_ns;
	uint64_t txid;
	uint32_t index;
};

/* Borrows the catalog's items. */
struct lsv_plan {
	uint64_t generation;
	bool is_ours; /* else stock's: no tables, the end is not known yet */
	uint8_t lineage[LSV_LINEAGE_SIZE];
	const struct lsv_item *snapshot;
	struct lsv_commit base; /* the snapshot's commit (ours) */
	const struct lsv_item *segments;
	size_t n_segments;
	/* What is there behind the last segment, the snapshot behind the
	 * segment; NULL: nothing. */
	const struct lsv_item *next_segment;
	const struct lsv_item *next_snapshot;
	bool is_within;           /* the last segment has later commits */
	struct lsv_pos end;       /* where the target ends (ours) */
	struct lsv_commit target; /* of stock's only the time is known */
	uint64_t n_bytes;         /* to fetch */
};

/* 0; -ENOENT: nothing restorable for that target; -EBADMSG: the replica is
 * damaged; says what it is. */
int lsv_plan_make(struct lsv_client *client, const struct lsv_catalog *catalog,
                  const struct lsv_target *target, struct lsv_plan *plan);

#endif
