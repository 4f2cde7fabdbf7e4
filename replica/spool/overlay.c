/* SPDX-License-Identifier: MIT */
#include "replica/spool/overlay.h"

#include "replica/base/cleanup.h"

#include <errno.h>
#include <string.h>

#define CAP_MIN 32
/* More than this is given back: most transactions are small, and there may be
 * thousands of databases. */
#define CAP_KEPT 64

void lsv_overlay_free(struct lsv_overlay *overlay)
{
	free(overlay->at);
	free(overlay->slots);
	*overlay = (struct lsv_overlay){0};
}

/* Where a page is or would be. */
static uint32_t slot_of(const struct lsv_overlay *overlay, uint32_t page_no)
{
	uint32_t mask = overlay->cap * 2 - 1;
	uint32_t slot = (page_no * UINT32_C(2654435761)) >> 7 & mask;

	while (overlay->slots[slot] &&
	       overlay->at[overlay->slots[slot] - 1].page_no != page_no)
		slot = (slot + 1) & mask;
	return slot;
}

struct lsv_overlay_entry *lsv_overlay_find(const struct lsv_overlay *overlay,
                                           uint32_t page_no)
{
	uint32_t place;

	if (overlay->n == 0)
		return NULL;
	place = overlay->slots[slot_of(overlay, page_no)];
	return place ? &overlay->at[place - 1] : NULL;
}

static int grow(struct lsv_overlay *overlay)
{
	uint32_t cap = overlay->cap ? overlay->cap * 2 : CAP_MIN;
	struct lsv_overlay wider = {
		.at = calloc(cap, sizeof *wider.at),
		.slots = calloc((size_t)cap * 2, sizeof *wider.slots),
		.cap = cap,
	};

	if (!wider.at || !wider.slots) {
		lsv_overlay_free(&wider);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < overlay->n; i++)
		lsv_overlay_put(&wider, overlay->at[i].page_no,
		                overlay->at[i].hash);
	lsv_overlay_free(overlay);
	*overlay = wider;
	return 0;
}

int lsv_overlay_put(struct lsv_overlay *overlay, uint32_t page_no,
                    uint64_t hash)
{
	struct lsv_overlay_entry *entry = lsv_overlay_find(overlay, page_no);
	uint32_t slot;

	if (entry) {
		entry->hash = hash;
		return 0;
	}
	if (overlay->n == overlay->cap && grow(overlay) < 0)
		return -ENOMEM;
	slot = slot_of(overlay, page_no);
	overlay->at[overlay->n] = (struct lsv_overlay_entry){
		.hash = hash, .page_no = page_no, .slot = slot};
	overlay->slots[slot] = ++overlay->n;
	return 0;
}

void lsv_overlay_clear(struct lsv_overlay *overlay)
{
	if (overlay->cap > CAP_KEPT) {
		lsv_overlay_free(overlay);
		return;
	}
	for (uint32_t i = 0; i < overlay->n; i++)
		overlay->slots[overlay->at[i].slot] = 0;
	overlay->n = 0;
}
