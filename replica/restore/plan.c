/* SPDX-License-Identifier: MIT */
#include "replica/restore/plan.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/restore/choose.h"
#include "replica/restore/links.h"
#include "replica/restore/say.h"
#include "replica/restore/sequel.h"
#include "replica/restore/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct search {
	struct lsv_client *client;
	const struct lsv_target *target;
	bool is_ours;
};

static bool reaches(const struct lsv_commit *commit,
                    const struct lsv_target *target)
{
	if (target->kind == LSV_TARGET_TIME)
		return commit->time_ns <= target->time_ns;
	return target->kind != LSV_TARGET_TXID || commit->txid <= target->txid;
}

/* Does the object begin at or before the target?  1, 0 or an error. */
static int begins_before(const struct search *search,
                         const struct lsv_item *item)
{
	const struct lsv_target *target = search->target;
	struct lsv_table table;
	int r;

	if (target->kind == LSV_TARGET_LATEST)
		return 1;
	if (target->kind == LSV_TARGET_INDEX)
		return item->pos.index <= target->index;
	if (!search->is_ours)
		return item->time_ns <= target->time_ns;
	r = lsv_tail_require(search->client, item, &table);
	if (r < 0)
		return r;
	r = reaches(&table.commits.at[0], target);
	lsv_table_free(&table);
	return r;
}

/* How many of n items, which rise, begin at or before the target. */
static int count_before(const struct search *search,
                        const struct lsv_item *items, size_t n, size_t *count)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int is_before = begins_before(search, &items[middle]);

		if (is_before < 0)
			return is_before;
		if (is_before)
			low = middle + 1;
		else
			high = middle;
	}
	*count = low;
	return 0;
}

/* The newest snapshot at or before the target. */
static int find_snapshot(const struct search *search,
                         const struct lsv_items *snapshots,
                         struct lsv_plan *plan)
{
	char name[LSV_GENERATION_SIZE];
	size_t n;
	int r;

	lsv_generation_format(plan->generation, name);
	if (snapshots->n == 0)
		return say(-EBADMSG,
		           "damaged generation %s: it has no snapshot", name);
	r = count_before(search, snapshots->at, snapshots->n, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return say(-ENOENT,
		           "cannot restore from generation %s: the "
		           "target is before its first snapshot",
		           name);
	plan->snapshot = &snapshots->at[n - 1];
	plan->next_snapshot = n < snapshots->n ? &snapshots->at[n] : NULL;
	return 0;
}

/* The segments behind the snapshot, up to the next one.  Stock takes a
 * snapshot somewhere within its index, and dates it when it is done: segments
 * behind the next one may be older. */
static void slice(const struct lsv_items *segments, struct lsv_plan *plan)
{
	uint64_t next = plan->is_ours && plan->next_snapshot
	                        ? plan->next_snapshot->pos.index
	                        : UINT64_MAX;
	size_t low = 0, high;

	while (low < segments->n &&
	       segments->at[low].pos.index < plan->snapshot->pos.index)
		low++;
	high = low;
	while (high < segments->n && segments->at[high].pos.index < next)
		high++;
	plan->segments = segments->at + low;
	plan->n_segments = high - low;
}

/* Of those up to the target. */
static int find_segments(const struct search *search,
                         const struct lsv_items *segments,
                         struct lsv_plan *plan)
{
	size_t n;
	int r;

	slice(segments, plan);
	r = count_before(search, plan->segments, plan->n_segments, &n);
	if (r < 0)
		return r;
	plan->next_segment = n < plan->n_segments ? &plan->segments[n] : NULL;
	plan->n_segments = n;
	return 0;
}

/* No index is skipped, and each begins at its offset 0 (I10).  Gaps within an
 * index show when the lengths are known. */
static int check_names(const struct lsv_plan *plan)
{
	uint32_t index = plan->snapshot->pos.index;

	for (size_t i = 0; i < plan->n_segments; i++) {
		const struct lsv_item *item = &plan->segments[i];
		bool is_new = i == 0 || item->pos.index != index;

		if (i > 0 && is_new)
			index++;
		if (item->pos.index != index ||
		    (is_new && item->pos.offset != 0))
			return lsv_links_complain(
				item,
				&(struct lsv_pos){plan->generation, index, 0});
	}
	return 0;
}

static int read_base(struct lsv_client *client, struct lsv_plan *plan)
{
	struct lsv_table table;
	int r = lsv_tail_require(client, plan->snapshot, &table);

	if (r < 0)
		return r;
	plan->base = table.commits.at[0];
	memcpy(plan->lineage, table.lineage, sizeof plan->lineage);
	lsv_table_free(&table);
	return 0;
}

/* The target is the last commit that reaches it: of the last segment, or,
 * without segments, the snapshot's own. */
static int find_commit(const struct search *search, struct lsv_plan *plan)
{
	const struct lsv_item *last;
	struct lsv_table table;
	size_t i;
	int r;

	plan->end = plan->snapshot->pos;
	plan->target = plan->base;
	if (plan->n_segments == 0)
		return 0;
	last = &plan->segments[plan->n_segments - 1];
	r = lsv_tail_require(search->client, last, &table);
	if (r < 0)
		return r;
	i = table.commits.n - 1;
	while (i > 0 && !reaches(&table.commits.at[i], search->target))
		i--;
	plan->end = last->pos;
	plan->end.offset = table.commits.at[i].end;
	plan->target = table.commits.at[i];
	plan->is_within = i < table.commits.n - 1;
	lsv_table_free(&table);
	return 0;
}

/* The very commit that was asked for needs nothing behind it. */
static bool is_found(const struct search *search, const struct lsv_plan *plan)
{
	return plan->is_within ||
	       (plan->is_ours && search->target->kind == LSV_TARGET_TXID &&
	        plan->target.txid == search->target->txid);
}

static void add_up(struct lsv_plan *plan)
{
	const struct lsv_item *last =
		plan->n_segments ? &plan->segments[plan->n_segments - 1]
				 : plan->snapshot;

	if (!plan->is_ours) {
		plan->end = last->pos;
		plan->target.time_ns = last->time_ns;
	}
	plan->n_bytes = plan->snapshot->size;
	for (size_t i = 0; i < plan->n_segments; i++)
		plan->n_bytes += plan->segments[i].size;
}

/*
 * Stock's snapshot is not where its index begins but somewhere within, and
 * may hold commits of segments that were put after it.  Older segments alone
 * would take some of its pages back in time, others not.
 */
static int check_stock(const struct lsv_plan *plan)
{
	const struct lsv_item *next = plan->next_segment;
	char time[LSV_TIME_TEXT_SIZE];

	if (plan->is_ours || plan->n_segments == 0 || !next ||
	    next[-1].time_ns > plan->snapshot->time_ns)
		return 0;
	lsv_time_format(next->time_ns, time);
	return say(-ENOENT,
	           "cannot restore to a time within %s, which Litestream took "
	           "while others wrote; from %s on it is possible",
	           plan->snapshot->name, time);
}

/* An index that the generation has not come to is none of it. */
static int check_index(const struct search *search,
                       const struct lsv_generation *generation)
{
	const struct lsv_items *snapshots = &generation->snapshots;
	const struct lsv_items *segments = &generation->segments;
	char name[LSV_GENERATION_SIZE];
	uint32_t last = 0;

	if (snapshots->n)
		last = snapshots->at[snapshots->n - 1].pos.index;
	if (segments->n && segments->at[segments->n - 1].pos.index > last)
		last = segments->at[segments->n - 1].pos.index;
	if (search->target->kind != LSV_TARGET_INDEX ||
	    search->target->index <= last)
		return 0;
	lsv_generation_format(generation->id, name);
	return say(-ENOENT,
	           "cannot find index %08" PRIx32
	           " in generation %s: its last one is %08" PRIx32,
	           search->target->index, name, last);
}

/* Retention removes a snapshot before segments behind it: while the snapshot
 * is there after the list, what the list lacks is missing. */
static int plan_ours(const struct search *search, struct lsv_plan *plan)
{
	int r = read_base(search->client, plan);

	if (r == 0)
		r = check_names(plan);
	return r < 0 ? r : find_commit(search, plan);
}

static int plan_stock(const struct search *search, struct lsv_plan *plan)
{
	int r = check_names(plan);

	if (r == 0 && search->target->kind == LSV_TARGET_TIME)
		r = check_stock(plan);
	return r;
}

static int plan_within(const struct search *search,
                       const struct lsv_generation *generation,
                       struct lsv_plan *plan)
{
	int r = find_snapshot(search, &generation->snapshots, plan);

	if (r == 0)
		r = check_index(search, generation);
	if (r == 0)
		r = find_segments(search, &generation->segments, plan);
	if (r == 0)
		r = plan->is_ours ? plan_ours(search, plan)
		                  : plan_stock(search, plan);
	if (r == 0 && !is_found(search, plan))
		r = lsv_sequel_check(search->client, plan);
	if (r == 0)
		add_up(plan);
	return r;
}

static int refuse_ltx(const struct lsv_catalog *catalog, const char *url)
{
	if (catalog->generations.n == 0)
		return say(-EPROTONOSUPPORT,
		           "cannot read %s: it holds LTX files of "
		           "Litestream 0.5, use Litestream to restore it",
		           url);
	return say(-EPROTONOSUPPORT,
	           "cannot tell what is the latest in %s: it also holds "
	           "LTX files of Litestream 0.5, which this version "
	           "cannot read; name what is older with -generation",
	           url);
}

int lsv_plan_make(struct lsv_client *client, const struct lsv_catalog *catalog,
                  const struct lsv_target *target, struct lsv_plan *plan)
{
	struct search search = {.client = client, .target = target};
	struct lsv_plan p = {0};
	struct lsv_bounds chosen;
	int r;

	if (catalog->has_ltx && !target->generation)
		return refuse_ltx(catalog, client->url);
	r = lsv_choose_generation(client, catalog, target, &chosen);
	if (r < 0)
		return r;
	p.generation = chosen.generation->id;
	p.is_ours = search.is_ours = chosen.is_ours;
	if (!p.is_ours && target->kind == LSV_TARGET_TXID)
		return say(-ENOENT,
		           "cannot find a txid in %s: Litestream wrote "
		           "it, its commits have none; use -timestamp",
		           client->url);
	r = plan_within(&search, chosen.generation, &p);
	if (r == -EBADMSG)
		r = lsv_sequel_relist(client, chosen.generation);
	if (r == 0)
		*plan = p;
	return r;
}
