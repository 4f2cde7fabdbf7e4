/* SPDX-License-Identifier: MIT */
#include "replica/restore/links.h"

#include "replica/restore/say.h"
#include "replica/wal/shm.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int complain_missing(const struct lsv_item *item,
                            const struct lsv_pos *end)
{
	auto_free char *name = lsv_layout_segment(end, item->codec);

	if (!name)
		return -ENOMEM;
	return say(-EBADMSG, "missing %s: %s follows it", name, item->name);
}

/* The next one within an index. */
static int check_next(const struct lsv_item *item, const struct lsv_link *a,
                      const struct lsv_link *b)
{
	const struct lsv_pos end = {item->pos.generation, item->pos.index,
	                            a->end.offset};

	if (b->begin.offset > a->end.offset)
		return complain_missing(item, &end);
	if (b->begin.offset < a->end.offset)
		return say(-EBADMSG,
		           "damaged %s: it begins before the end of the "
		           "segment before it",
		           item->name);
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
static int check_txid(const struct lsv_item *item, uint64_t last_txid,
                      const struct lsv_link *link)
{
	if (link->first_txid == last_txid + 1)
		return 0;
	if (link->first_txid <= last_txid)
		return say(-EBADMSG,
		           "damaged %s: it begins with txid %" PRIu64
		           ", which is before its place",
		           item->name, link->first_txid);
	return say(-EBADMSG,
	           "missing segment before %s: txid %" PRIu64 " to %" PRIu64,
	           item->name, last_txid + 1, link->first_txid - 1);
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
			r = check_txid(item, last_txid, &links[i]);
		last_txid = links[i].last_txid;
	}
	return r;
}
