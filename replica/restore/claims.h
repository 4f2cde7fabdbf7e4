/* SPDX-License-Identifier: MIT */
#ifndef LSV_CLAIMS_H
#define LSV_CLAIMS_H

/*
 * Who writes which page.  Segments claim in turn, the newest first, so that a
 * page is written once, in its newest version; the snapshot gets the rest.
 */

#include "replica/base/vector.h"
#include "replica/restore/links.h"
#include "replica/restore/pages.h"

/* A page to write, and the frame that has it. */
struct lsv_claim {
	uint32_t page_no;
	uint32_t frame;
};

LSV_VECTOR(lsv_claim_list, struct lsv_claim)

struct lsv_claims {
	uint32_t db_pages; /* of the result; 0: not known yet (stock's) */
	uint8_t *taken;    /* a bit a page */
	bool continues;    /* what a segment leaves open, the one behind it
	                      commits (stock's) */
};

/* db_pages 0: the newest commit that comes by tells. */
int lsv_claims_init(struct lsv_claims *claims, uint32_t db_pages);
void lsv_claims_free(struct lsv_claims *claims);

/* Claims for the first n_frames of a segment: the caller holds the turn.  The
 * newest version of each page that is still free is appended to 'out'. */
int lsv_claims_take(struct lsv_claims *claims, const struct lsv_page_refs *refs,
                    size_t n_frames, bool begins_index,
                    struct lsv_claim_list *out);

static inline bool lsv_claims_has(const struct lsv_claims *claims,
                                  uint64_t page_no)
{
	return claims->taken && page_no <= claims->db_pages &&
	       claims->taken[page_no / 8] >> (page_no % 8) & 1;
}

#endif
