/* SPDX-License-Identifier: MIT */
#include "replica/restore/parent.h"

#include "replica/base/clock.h"
#include "replica/format/layout.h"
#include "replica/format/note.h"
#include "replica/restore/say.h"

#include <errno.h>

/* -ENOENT, -EBADMSG, -EINVAL: it does not say. */
static int read_parent(struct lsv_client *client,
                       const struct lsv_generation *next,
                       struct lsv_pos *parent)
{
	static const struct lsv_range start = {.n = LSV_NOTE_SIZE_MAX};
	auto_buf struct lsv_buf note = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&note);
	auto_free char *name = lsv_layout_lineage(next->id);
	auto_free char *text = NULL;
	int r = into && name ? client->ops->get(client, name, &start, into)
	                     : -ENOMEM;

	if (r < 0 && r != -ENOENT)
		return say(r == -EBADMSG || r == -EINVAL ? -EIO : r,
		           "cannot read %s: %s", name ? name : "lineage.json",
		           lsv_client_why(client, r));
	if (r == 0)
		r = lsv_note_get(&note, "parent", &text);
	return r < 0 ? r : lsv_pos_parse(text, parent);
}

/* False: its last table could not be read. */
static bool find_end(const struct lsv_bounds *bounds, struct lsv_pos *end)
{
	const struct lsv_items *snapshots = &bounds->generation->snapshots;
	const struct lsv_items *segments = &bounds->generation->segments;

	if (!bounds->is_ours || bounds->last.txid == 0 || !snapshots->n)
		return false;
	*end = (struct lsv_pos){bounds->generation->id,
	                        snapshots->at[snapshots->n - 1].pos.index, 0};
	if (segments->n &&
	    segments->at[segments->n - 1].pos.index >= end->index)
		*end = (struct lsv_pos){end->generation,
		                        segments->at[segments->n - 1].pos.index,
		                        bounds->last.end};
	return true;
}

int lsv_parent_check(struct lsv_client *client, const struct lsv_bounds *bounds,
                     const struct lsv_generation *next, int64_t time_ns)
{
	struct lsv_pos parent, end;
	char last[LSV_TIME_TEXT_SIZE], time[LSV_TIME_TEXT_SIZE];
	char from[LSV_POS_TEXT_SIZE], to[LSV_POS_TEXT_SIZE];
	int r = find_end(bounds, &end) ? read_parent(client, next, &parent)
	                               : -ENOENT;

	if (r == -ENOENT || r == -EBADMSG || r == -EINVAL)
		return 0;
	/* Where an index begins, the one before may have ended anywhere. */
	if (r < 0 || parent.generation != end.generation ||
	    parent.offset == 0 || lsv_pos_compare(&parent, &end) <= 0)
		return r;
	lsv_pos_format(&end, from);
	lsv_pos_format(&parent, to);
	lsv_time_format(bounds->last.time_ns, last);
	lsv_time_format(time_ns, time);
	return say(-EBADMSG,
	           "missing commits from %s to %s, where the next generation "
	           "began: cannot tell what was at %s; the last one there is "
	           "of %s",
	           from, to, time, last);
}
