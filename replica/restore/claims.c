/* SPDX-License-Identifier: MIT */
#include "replica/restore/claims.h"

static int set_size(struct lsv_claims *claims, uint32_t db_pages)
{
	claims->db_pages = db_pages;
	claims->taken = calloc((size_t)db_pages / 8 + 1, 1);
	return claims->taken ? 0 : -ENOMEM;
}

int lsv_claims_init(struct lsv_claims *claims, uint32_t db_pages)
{
	*claims = (struct lsv_claims){0};
	return db_pages ? set_size(claims, db_pages) : 0;
}

void lsv_claims_free(struct lsv_claims *claims)
{
	free(claims->taken);
}

/* How many frames up to and with the last that commits. */
static size_t committed(const struct lsv_page_refs *refs, size_t n)
{
	while (n > 0 && !refs->at[n - 1].db_pages)
		n--;
	return n;
}

static bool claim(struct lsv_claims *claims, uint32_t page_no)
{
	uint8_t bit = (uint8_t)(1U << page_no % 8);

	if (page_no > claims->db_pages || claims->taken[page_no / 8] & bit)
		return false;
	claims->taken[page_no / 8] |= bit;
	return true;
}

int lsv_claims_take(struct lsv_claims *claims, const struct lsv_page_refs *refs,
                    size_t n_frames, bool begins_index,
                    struct lsv_claim_list *out)
{
	size_t n_committed = committed(refs, n_frames);
	size_t n = claims->continues ? n_frames : n_committed;
	int r = 0;

	/* An index leaves nothing open to the next one. */
	claims->continues = !begins_index &&
	                    (claims->continues || n_committed > 0);
	if (!claims->taken && n_committed)
		r = set_size(claims, refs->at[n_committed - 1].db_pages);
	if (!claims->taken) /* nothing commits here or behind */
		return r;
	for (size_t i = n; r == 0 && i > 0; i--) {
		uint32_t page_no = refs->at[i - 1].page_no;

		if (claim(claims, page_no))
			r = lsv_claim_list_append(
				out,
				(struct lsv_claim){page_no, (uint32_t)(i - 1)});
	}
	return r;
}
