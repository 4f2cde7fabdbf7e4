/* SPDX-License-Identifier: MIT */
#ifndef LSV_RETAIN_H
#define LSV_RETAIN_H

/*
 * Retention: what a replica may lose.  Every moment from 'cutoff' on stays
 * restorable, and whole chains are kept for it (design.md section 7):
 *
 *	 snapshot 0   1.. segments ..4   snapshot 5   5.. segments
 *	 ├──────── may go ─────────────┤├────── stays ──────────────►
 *	                                  ▲ the newest at or before the cutoff
 *
 * Within a generation, what lies before its newest snapshot at or before the
 * cutoff may go.  A generation goes whole when its newest object is older than
 * the cutoff and another one that stays has a snapshot from between the two,
 * so that no moment is left without a database.  The current generation never
 * goes, nor one that is not ours (without lineage.json: stock's).
 *
 * The order of removal (I9): what is oldest first; of a chain the snapshots,
 * so that a restore is refused rather than cut short, then the segments index
 * by index, in each the newest offset first and offset 0 last, and
 * lineage.json at the end.
 */

#include "replica/spool/catalogue.h"
#include "replica/store/client.h"

/* Names to remove, in that order. */
LSV_VECTOR(lsv_doomed, const char *)

/* Pure.  The names in 'doomed' are borrowed from 'there'; the caller frees
 * doomed->at. */
int lsv_retain_plan(const struct lsv_stored_list *there, uint64_t current,
                    int64_t cutoff_ns, struct lsv_doomed *doomed);

/* What is below generations/ on the replica, by one listing. */
int lsv_retain_list(struct lsv_client *client, struct lsv_stored_list *there);

/* Removes in order, up to the first error, and several at once where their
 * order does not matter; *n_removed counts. */
int lsv_retain_remove(struct lsv_client *client,
                      const struct lsv_doomed *doomed, size_t *n_removed);

/* All of it, by the catalogue at 'path'; without one the replica is listed,
 * once, and the catalogue made. */
struct lsv_retention {
	const char *catalogue;
	mode_t mode; /* of a catalogue that is made */
	uint64_t current;
	int64_t cutoff_ns;
};
int lsv_retain(struct lsv_client *client, const struct lsv_retention *retention,
               size_t *n_removed);

#endif
