/* SPDX-License-Identifier: MIT */
#include "replica/restore/sequel.h"

#include "replica/restore/links.h"
#include "replica/restore/say.h"
#include "replica/restore/tail.h"

#include <errno.h>

/* A segment of ours begins at the end of the one before it, or an index. */
static int check_place(const struct lsv_plan *plan, const struct lsv_item *next)
{
	struct lsv_pos due = plan->end;

	if (next->pos.index != due.index) {
		due.index++;
		due.offset = 0;
	}
	if (next->pos.offset > due.offset)
		return lsv_links_complain(next, &due);
	if (next->pos.offset < due.offset)
		return say(-EBADMSG,
		           "damaged %s: it begins before the end of the "
		           "segment before it",
		           next->name);
	return 0;
}

static int check_ours(struct lsv_client *client, const struct lsv_plan *plan)
{
	const struct lsv_item *segment = plan->next_segment;
	const struct lsv_item *next = segment ? segment : plan->next_snapshot;
	struct lsv_table table;
	uint64_t first_txid;
	int r = segment ? check_place(plan, segment) : 0;

	if (r < 0 || !next)
		return r;
	r = lsv_tail_require(client, next, &table);
	if (r < 0)
		return r;
	/* A snapshot is of the last commit before its index. */
	first_txid = table.first_txid + (segment ? 0 : 1);
	lsv_table_free(&table);
	return lsv_links_check_txid(next, plan->target.txid, first_txid);
}

/* No index of stock's is skipped.  Where one ends is not known before it is
 * fetched (links.c), and a snapshot may be ahead of the segments. */
static int check_stock(const struct lsv_plan *plan)
{
	const struct lsv_item *next = plan->next_segment;
	struct lsv_pos due = plan->snapshot->pos;

	if (!next)
		return 0;
	if (plan->n_segments > 0) {
		due.index = plan->segments[plan->n_segments - 1].pos.index;
		if (next->pos.index == due.index)
			return 0;
		due.index++;
	}
	return lsv_pos_compare(&next->pos, &due) == 0
	               ? 0
	               : lsv_links_complain(next, &due);
}

int lsv_sequel_check(struct lsv_client *client, const struct lsv_plan *plan)
{
	return plan->is_ours ? check_ours(client, plan) : check_stock(plan);
}

/* How many names there are up to that of the last one that was listed. */
static size_t count_until(const struct lsv_items *items,
                          const struct lsv_items *listed)
{
	size_t n = 0;

	while (listed->n && n < items->n &&
	       lsv_pos_compare(&items->at[n].pos,
	                       &listed->at[listed->n - 1].pos) <= 0)
		n++;
	return n;
}

static bool is_same(const struct lsv_generation *now,
                    const struct lsv_generation *listed)
{
	return now &&
	       count_until(&now->snapshots, &listed->snapshots) ==
	               listed->snapshots.n &&
	       count_until(&now->segments, &listed->segments) ==
	               listed->segments.n;
}

/* A directory that is read while names are added may show a newer one and not
 * an older one. */
int lsv_sequel_relist(struct lsv_client *client,
                      const struct lsv_generation *listed)
{
	struct lsv_catalog now;
	bool has_changed;

	if (lsv_catalog_read(client, &now) < 0)
		return -EBADMSG;
	has_changed = !is_same(lsv_catalog_find(&now, listed->id), listed);
	lsv_catalog_free(&now);
	if (!has_changed)
		return -EBADMSG;
	return say(-ESTALE, "%s changed while it was listed, try again",
	           client->url);
}
