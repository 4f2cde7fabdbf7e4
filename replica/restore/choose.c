/* SPDX-License-Identifier: MIT */

/*
 * Generations follow each other in time.  For a moment T that is
 *
 *	├─── 1 ───┤       ├─── 2 ───┤
 *	       T               T
 *	              T                  T
 *
 * within one or behind one, it is the generation whose last commit at or
 * before T is the newest; where several have one right at T, the one that
 * goes on longest (stock's rule).
 */

#include "replica/restore/choose.h"

#include "replica/base/clock.h"
#include "replica/restore/parent.h"
#include "replica/restore/say.h"

#include <errno.h>
#include <inttypes.h>

static bool begins_after(const struct lsv_bounds *bounds,
                         const struct lsv_target *target)
{
	return target->kind == LSV_TARGET_TIME &&
	       bounds->first.time_ns > target->time_ns;
}

/* Retention, or damage, took what it began with: when that was is not known. */
static bool is_beheaded(const struct lsv_bounds *bounds)
{
	const struct lsv_generation *generation = bounds->generation;
	const struct lsv_items *items = generation->snapshots.n
	                                        ? &generation->snapshots
	                                        : &generation->segments;

	return items->n && items->at[0].pos.index + items->at[0].pos.offset > 0;
}

/* How near to the target the generation comes. */
static int64_t reach(const struct lsv_bounds *bounds,
                     const struct lsv_target *target)
{
	int64_t last = bounds->last.time_ns;

	if (target->kind == LSV_TARGET_TIME && last > target->time_ns)
		return target->time_ns;
	return last;
}

static bool is_better(const struct lsv_bounds *a, const struct lsv_bounds *b,
                      const struct lsv_target *target)
{
	int64_t reach_a = reach(a, target), reach_b = reach(b, target);

	if (reach_a != reach_b)
		return reach_a > reach_b;
	return a->last.time_ns > b->last.time_ns;
}

static int choose_named(struct lsv_client *client,
                        const struct lsv_catalog *catalog, uint64_t id,
                        struct lsv_bounds *chosen)
{
	const struct lsv_generation *generation = lsv_catalog_find(catalog, id);
	char name[LSV_GENERATION_SIZE];

	lsv_generation_format(id, name);
	if (!generation)
		return say(-ENOENT, "cannot find generation %s in %s", name,
		           client->url);
	return lsv_bounds_read(client, generation, chosen);
}

/* A txid counts within its generation.  One that the newest has not reached
 * yet and an older one has is more likely that one's: nobody is given newer
 * data than they named. */
static int check_txid(struct lsv_client *client,
                      const struct lsv_catalog *catalog,
                      const struct lsv_target *target,
                      const struct lsv_bounds *best)
{
	const struct lsv_generations *v = &catalog->generations;
	char name[LSV_GENERATION_SIZE], newest[LSV_GENERATION_SIZE];

	if (target->kind != LSV_TARGET_TXID || !best->is_ours ||
	    best->last.txid >= target->txid)
		return 0;
	for (size_t i = 0; i < v->n; i++) {
		struct lsv_bounds bounds;
		int r = lsv_bounds_read(client, &v->at[i], &bounds);

		if (r < 0)
			return r;
		if (!bounds.is_ours || bounds.last.txid < target->txid)
			continue;
		lsv_generation_format(v->at[i].id, name);
		lsv_generation_format(best->generation->id, newest);
		return say(-ENOENT,
		           "cannot tell which txid %" PRIu64
		           " is meant: generation %s is the newest and ends "
		           "with txid %" PRIu64
		           ", generation %s has it; name one with -generation",
		           target->txid, newest, best->last.txid, name);
	}
	return 0;
}

/* Of those that begin after the target. */
struct later {
	struct lsv_bounds next;                /* the first */
	const struct lsv_generation *beheaded; /* one whose beginning is gone */
};

/* The generation that ended before the target is not the one to take where
 * the next may have begun before it, too, or where it has lost its end. */
static int check_time(struct lsv_client *client,
                      const struct lsv_target *target,
                      const struct lsv_bounds *best, const struct later *later)
{
	const struct lsv_generation *beheaded = later->beheaded;
	char name[LSV_GENERATION_SIZE], next[LSV_GENERATION_SIZE];
	char time[LSV_TIME_TEXT_SIZE];

	if (target->kind != LSV_TARGET_TIME ||
	    best->last.time_ns >= target->time_ns)
		return 0;
	if (!beheaded)
		return later->next.generation
		               ? lsv_parent_check(client, best,
		                                  later->next.generation,
		                                  target->time_ns)
		               : 0;
	lsv_time_format(target->time_ns, time);
	lsv_generation_format(best->generation->id, name);
	lsv_generation_format(beheaded->id, next);
	return say(-ENOENT,
	           "cannot tell what was at %s: generation %s ends before it, "
	           "and what generation %s began with is gone; name one with "
	           "-generation",
	           time, name, next);
}

static int choose_best(struct lsv_client *client,
                       const struct lsv_catalog *catalog,
                       const struct lsv_target *target, struct lsv_bounds *best,
                       struct later *later)
{
	const struct lsv_generations *v = &catalog->generations;

	for (size_t i = 0; i < v->n; i++) {
		struct lsv_bounds bounds;
		int r = lsv_bounds_read(client, &v->at[i], &bounds);

		if (r < 0)
			return r;
		if (begins_after(&bounds, target)) {
			if (is_beheaded(&bounds))
				later->beheaded = bounds.generation;
			if (!later->next.generation ||
			    bounds.first.time_ns < later->next.first.time_ns)
				later->next = bounds;
		} else if (!best->generation ||
		           is_better(&bounds, best, target)) {
			*best = bounds;
		}
	}
	return 0;
}

int lsv_choose_generation(struct lsv_client *client,
                          const struct lsv_catalog *catalog,
                          const struct lsv_target *target,
                          struct lsv_bounds *chosen)
{
	struct later later = {0};
	struct lsv_bounds best = {0};
	char time[LSV_TIME_TEXT_SIZE];
	int r;

	if (target->generation)
		return choose_named(client, catalog, target->generation,
		                    chosen);
	r = choose_best(client, catalog, target, &best, &later);
	if (r < 0)
		return r;
	lsv_time_format(target->time_ns, time);
	if (!best.generation && catalog->generations.n)
		return say(-ENOENT, "nothing to restore at or before %s in %s",
		           time, client->url);
	if (!best.generation)
		return say(-ENOENT, "no backup found in %s", client->url);
	r = check_time(client, target, &best, &later);
	if (r == 0)
		r = check_txid(client, catalog, target, &best);
	if (r < 0)
		return r;
	*chosen = best;
	return 0;
}
