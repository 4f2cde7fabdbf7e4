/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_LEDGER_H
#define LSV_TEST_LEDGER_H

/*
 * What the database was after each commit: image/<no>.db, and between which
 * two moments it became that.  A commit that changed no byte is not a new
 * line.
 */

#include "replica/base/vector.h"

#include <stdint.h>

struct moment {
	int64_t before_ns, after_ns; /* the commit came between them */
	unsigned image;
};

LSV_VECTOR(ledger, struct moment)

/* The name of an image's file, in a static buffer. */
const char *ledger_image(unsigned no);

/* Notes what image/<no>.db is; drops it when it is what was before. */
void ledger_note(struct ledger *ledger, struct moment moment);

/* Restores every txid and random moments from the replica "replica" in the
 * current folder, and compares.  From line 'from' on nothing may be missing.
 * Dies at the first difference, which is left in the folder. */
struct dice;
void ledger_prove(const struct ledger *ledger, size_t from, struct dice *dice);

/* The same for a replica of `lsvfs replicate`, which begins a new generation
 * where it may have missed a reset (I3): at most 'max_generations' of them.
 * Within one each txid is the commit of the one before or the next (I1); the
 * stretches come one after the other, and the last one has the last commit.  A
 * commit's time is when it was seen, or before: never before it was made. */
void ledger_prove_outside(const struct ledger *ledger, size_t from,
                          uint32_t max_generations, struct dice *dice);

/* Restores the latest, while the database is in use: any commit so far. */
void ledger_glance(const struct ledger *ledger);

#endif
