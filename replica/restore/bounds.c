/* SPDX-License-Identifier: MIT */
#include "replica/restore/bounds.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/restore/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An edge of the range: the object's own word, or the store's. */
struct edge {
	struct lsv_commit first;
	struct lsv_commit last;
	bool has_table;
};

static int read_edge(struct lsv_client *client, const struct lsv_item *item,
                     struct edge *edge)
{
	struct lsv_table table;
	int r = lsv_tail_read(client, item, &table);

	*edge = (struct edge){0};
	edge->first.time_ns = edge->last.time_ns = item->time_ns;
	if (r == 0) {
		edge->first = table.commits.at[0];
		edge->last = table.commits.at[table.commits.n - 1];
		lsv_table_free(&table);
	}
	edge->has_table = r != -ENOENT;
	return r == 0 || r == -ENOENT || r == -EBADMSG || r == -EPROTO
	               ? 0
	               : lsv_tail_complain(client, item, r);
}

static bool is_later(const struct lsv_commit *a, const struct lsv_commit *b)
{
	if (a->txid && b->txid)
		return a->txid > b->txid;
	return a->time_ns > b->time_ns;
}

static int add_edge(struct lsv_client *client, const struct lsv_item *item,
                    struct lsv_bounds *bounds)
{
	struct edge edge;
	int r = read_edge(client, item, &edge);

	if (r < 0)
		return r;
	bounds->is_ours |= edge.has_table;
	if (is_later(&edge.last, &bounds->last))
		bounds->last = edge.last;
	return 0;
}

/* Where it begins: at its first snapshot, or, since that is gone, with what
 * is left. */
static int add_first(struct lsv_client *client, struct lsv_bounds *bounds)
{
	const struct lsv_items *snapshots = &bounds->generation->snapshots;
	const struct lsv_items *segments = &bounds->generation->segments;
	struct edge edge;
	int r;

	if (snapshots->n + segments->n == 0)
		return 0;
	r = read_edge(client, snapshots->n ? snapshots->at : segments->at,
	              &edge);
	if (r < 0)
		return r;
	bounds->has_snapshot = snapshots->n > 0;
	bounds->is_ours |= edge.has_table;
	bounds->first = edge.first;
	bounds->last = edge.last;
	return 0;
}

static int add_last(struct lsv_client *client, const struct lsv_items *items,
                    struct lsv_bounds *bounds)
{
	return items->n ? add_edge(client, &items->at[items->n - 1], bounds)
	                : 0;
}

int lsv_bounds_read(struct lsv_client *client,
                    const struct lsv_generation *generation,
                    struct lsv_bounds *bounds)
{
	struct lsv_bounds b = {
		.generation = generation,
		.is_ours = generation->has_lineage,
		.last.time_ns = INT64_MIN,
	};
	int r = add_first(client, &b);

	if (r == 0 && generation->snapshots.n > 1)
		r = add_last(client, &generation->snapshots, &b);
	if (r == 0)
		r = add_last(client, &generation->segments, &b);
	if (r == 0)
		*bounds = b;
	return r;
}

void lsv_bounds_format(const struct lsv_bounds *bounds,
                       char text[LSV_BOUNDS_TEXT_SIZE])
{
	char name[LSV_GENERATION_SIZE];
	char first[LSV_TIME_TEXT_SIZE], last[LSV_TIME_TEXT_SIZE];

	lsv_generation_format(bounds->generation->id, name);
	lsv_time_format(bounds->first.time_ns, first);
	lsv_time_format(bounds->last.time_ns, last);
	if (!bounds->has_snapshot)
		snprintf(text, LSV_BOUNDS_TEXT_SIZE, "%s: no snapshot", name);
	else if (bounds->is_ours)
		snprintf(text, LSV_BOUNDS_TEXT_SIZE,
		         "%s: txid %" PRIu64 " (%s) to %" PRIu64 " (%s)", name,
		         bounds->first.txid, first, bounds->last.txid, last);
	else
		snprintf(text, LSV_BOUNDS_TEXT_SIZE, "%s: %s to %s", name,
		         first, last);
}
