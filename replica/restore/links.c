/* SPDX-License-Identifier: MIT */
#include "replica/restore/links.h"

#include "replica/restore/say.h"
#include "replica/wal/shm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int lsv_links_complain(const struct lsv_item *item, const struct lsv_pos *due)
{
	auto_free char *name = lsv_layout_segment(due, item->codec);

	if (!name)
		return -ENOMEM;
	return say(-EBADMSG, "missing %s: %s follows it", name, item->name);
}

/* One behind another within an index. */
static int check_offset(const struct lsv_item *item, const struct lsv_link *a)
{
	const struct lsv_pos end = {item->pos.generation, item->pos.index,
	                            a->end.offset};

	if (item->pos.offset > a->end.offset)
		return lsv_links_complain(item, &end);
	if (item->pos.offset < a->end.offset)
		return say(-EBADMSG,
		           "damaged %s: it begins before the end of the "
		           "segment before it",
		           item->name);
	return 0;
}

static int check_next(const struct lsv_item *item, const struct lsv_link *a,
                      const struct lsv_link *b)
{
	int r = check_offset(item, a);

	if (r < 0)
		return r;
	if (!lsv_salt_equal(a->end.salt, b->begin.salt) ||
	    a->end.page_size != b->begin.page_size ||
	    memcmp(a->end.checksum, b->begin.checksum,
	           sizeof a->end.checksum) != 0)
		return say(-EBADMSG,
		           "damaged %s: it does not continue the "
		           "checksum chain of the segment before it",
		           item->name);
	return 0;
}

/* Commits have no hole in their numbers, across indexes too: there alone the
 * loss of an index's last segments shows. */
int lsv_links_check_txid(const struct lsv_item *item, uint64_t last_txid,
                         uint64_t first_txid)
{
	if (first_txid == last_txid + 1)
		return 0;
	if (first_txid <= last_txid)
		return say(-EBADMSG,
		           "damaged %s: it begins with txid %" PRIu64
		           ", which is before its place",
		           item->name, first_txid);
	return say(-EBADMSG,
	           "missing segment before %s: txid %" PRIu64 " to %" PRIu64,
	           item->name, last_txid + 1, first_txid - 1);
}

/* Of stock's, where the last one ends is not known until it is here. */
static int check_behind(const struct lsv_plan *plan,
                        const struct lsv_link *links)
{
	const struct lsv_item *next = plan->next_segment;
	size_t n = plan->n_segments;

	if (plan->is_ours || !next || n == 0 ||
	    next->pos.index != plan->segments[n - 1].pos.index)
		return 0;
	return check_offset(next, &links[n - 1]);
}

int lsv_links_check(const struct lsv_plan *plan, const struct lsv_link *links)
{
	uint64_t last_txid = plan->base.txid;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n_segments; i++) {
		const struct lsv_item *item = &plan->segments[i];

		if (item->pos.offset != 0)
			r = check_next(item, &links[i - 1], &links[i]);
		if (r == 0 && plan->is_ours)
			r = lsv_links_check_txid(item, last_txid,
			                         links[i].first_txid);
		last_txid = links[i].last_txid;
	}
	return r < 0 ? r : check_behind(plan, links);
}
