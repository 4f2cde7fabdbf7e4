/* SPDX-License-Identifier: MIT */
#ifndef LSV_OVERLAY_H
#define LSV_OVERLAY_H

/*
 * Page hashes that are not in the page map yet, by page number: what the
 * transaction sets that is being copied.  A list in the order of arrival, and
 * a hash table of places in it.
 */

#include <stddef.h>
#include <stdint.h>

struct lsv_overlay_entry {
	uint64_t hash;
	uint32_t page_no;
	uint32_t slot;
};

struct lsv_overlay {
	struct lsv_overlay_entry *at;
	uint32_t *slots; /* place in 'at', from 1; 0: free */
	uint32_t n;
	uint32_t cap; /* of 'at'; a power of two, or 0; twice that many slots */
};

/* The page's entry, or NULL; good until the next put. */
struct lsv_overlay_entry *lsv_overlay_find(const struct lsv_overlay *overlay,
                                           uint32_t page_no);
/* -ENOMEM, and nothing has changed. */
int lsv_overlay_put(struct lsv_overlay *overlay, uint32_t page_no,
                    uint64_t hash);
/* Takes all out; keeps little memory. */
void lsv_overlay_clear(struct lsv_overlay *overlay);
void lsv_overlay_free(struct lsv_overlay *overlay);

#endif
