/* SPDX-License-Identifier: MIT */
#include "replica/ship/retain.h"

#include "replica/format/layout.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct lsv_object_name what;
	const struct lsv_stored *stored;
};
LSV_VECTOR(items, struct item)

struct generation {
	uint64_t id;
	const struct item *items; /* in the order of removal */
	size_t n;
	int64_t newest_ns; /* INT64_MIN: neither snapshot nor segment */
	bool is_ours;
	bool stays;
};
LSV_VECTOR(generations, struct generation)

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int rank(enum lsv_object_kind kind)
{
	return kind == LSV_OBJECT_SNAPSHOT  ? 0
	       : kind == LSV_OBJECT_SEGMENT ? 1
	                                    : 2;
}

/* By generation, and within it in the order of removal. */
static int by_removal(const void *a, const void *b)
{
	const struct lsv_object_name *x = &((const struct item *)a)->what;
	const struct lsv_object_name *y = &((const struct item *)b)->what;
	int r = compare(x->pos.generation, y->pos.generation);

	if (r == 0)
		r = rank(x->kind) - rank(y->kind);
	if (r == 0)
		r = compare(x->pos.index, y->pos.index);
	if (r == 0)
		r = compare(y->pos.offset, x->pos.offset);
	return r;
}

static int parse(const struct lsv_stored_list *there, struct items *items)
{
	for (size_t i = 0; i < there->n; i++) {
		struct item item = {.stored = &there->at[i]};
		int r = 0;

		lsv_layout_parse(item.stored->name, &item.what);
		if (item.what.kind == LSV_OBJECT_SNAPSHOT ||
		    item.what.kind == LSV_OBJECT_SEGMENT ||
		    item.what.kind == LSV_OBJECT_LINEAGE)
			r = items_append(items, item);
		if (r < 0)
			return r;
	}
	if (items->n)
		qsort(items->at, items->n, sizeof *items->at, by_removal);
	return 0;
}

static void look_at(struct generation *g, const struct item *item)
{
	g->n++;
	if (item->what.kind == LSV_OBJECT_LINEAGE)
		g->is_ours = true;
	else if (item->stored->time_ns > g->newest_ns)
		g->newest_ns = item->stored->time_ns;
}

static int by_age(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	if (x->newest_ns != y->newest_ns)
		return x->newest_ns < y->newest_ns ? -1 : 1;
	return compare(x->id, y->id);
}

/* The generations that are ours, the oldest first. */
static int group(const struct items *items, uint64_t current,
                 struct generations *all)
{
	size_t i = 0;

	while (i < items->n) {
		struct generation g = {
			.id = items->at[i].what.pos.generation,
			.items = &items->at[i],
			.newest_ns = INT64_MIN,
		};
		int r = 0;

		while (i < items->n && items->at[i].what.pos.generation == g.id)
			look_at(&g, &items->at[i++]);
		if (g.is_ours || g.id == current)
			r = generations_append(all, g);
		if (r < 0)
			return r;
	}
	if (all->n)
		qsort(all->at, all->n, sizeof *all->at, by_age);
	return 0;
}

/* The newest snapshot at or before the cutoff; NULL: none. */
static const struct item *base_of(const struct generation *g, int64_t cutoff_ns)
{
	const struct item *base = NULL;

	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].what.kind == LSV_OBJECT_SNAPSHOT &&
		    !g->items[i].stored->is_doubtful &&
		    g->items[i].stored->time_ns <= cutoff_ns)
			base = &g->items[i];
	return base;
}

/* One that stays answers for every moment that 'g' could be asked for. */
static bool is_covered(const struct generations *all,
                       const struct generation *g, int64_t cutoff_ns)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct item *base;

		if (!all->at[i].stays)
			continue;
		base = base_of(&all->at[i], cutoff_ns);
		if (base && base->stored->time_ns >= g->newest_ns)
			return true;
	}
	return false;
}

static void decide(struct generations *all, uint64_t current, int64_t cutoff_ns)
{
	for (size_t i = 0; i < all->n; i++)
		all->at[i].stays = all->at[i].id == current;
	/* From the newest on: only what stays itself can cover another. */
	for (size_t i = all->n; i-- > 0;)
		if (!all->at[i].stays)
			all->at[i].stays = all->at[i].newest_ns >= cutoff_ns ||
			                   !is_covered(all, &all->at[i],
			                               cutoff_ns);
}

/* All of a generation that goes; of one that stays what is below its base. */
static int doom(const struct generation *g, int64_t cutoff_ns,
                struct lsv_doomed *doomed)
{
	const struct item *base = g->stays ? base_of(g, cutoff_ns) : NULL;

	if (g->stays && !base)
		return 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct item *item = &g->items[i];
		int r = 0;

		if (!g->stays || (item->what.kind != LSV_OBJECT_LINEAGE &&
		                  item->what.pos.index < base->what.pos.index))
			r = lsv_doomed_append(doomed, item->stored->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int plan(const struct items *items, struct generations *all,
                uint64_t current, int64_t cutoff_ns, struct lsv_doomed *doomed)
{
	int r = group(items, current, all);

	if (r < 0)
		return r;
	decide(all, current, cutoff_ns);
	for (size_t i = 0; i < all->n && r == 0; i++)
		r = doom(&all->at[i], cutoff_ns, doomed);
	return r;
}

int lsv_retain_plan(const struct lsv_stored_list *there, uint64_t current,
                    int64_t cutoff_ns, struct lsv_doomed *doomed)
{
	struct lsv_doomed result = {0};
	struct generations all = {0};
	struct items items = {0};
	int r = parse(there, &items);

	if (r == 0)
		r = plan(&items, &all, current, cutoff_ns, &result);
	free(items.at);
	free(all.at);
	if (r < 0)
		free(result.at);
	else
		*doomed = result;
	return r;
}

static int keep_one(void *arg, const struct lsv_object *object)
{
	struct lsv_stored stored = {.name = strdup(object->name),
	                            .time_ns = object->time_ns};
	int r = stored.name ? lsv_stored_list_append(arg, stored) : -ENOMEM;

	if (r < 0)
		free(stored.name);
	return r;
}

int lsv_retain_list(struct lsv_client *client, struct lsv_stored_list *there)
{
	struct lsv_stored_list list = {0};
	int r = client->ops->list(client, LSV_LAYOUT_GENERATIONS, keep_one,
	                          &list);

	if (r < 0)
		lsv_stored_free(&list);
	else
		*there = list;
	return r;
}

/* Whether 'b' may go only when 'a', before it, is gone. */
static bool has_to_wait(const char *a, const char *b)
{
	struct lsv_object_name x, y;

	lsv_layout_parse(a, &x);
	lsv_layout_parse(b, &y);
	return x.kind != y.kind || x.pos.generation != y.pos.generation ||
	       (y.kind == LSV_OBJECT_SEGMENT && y.pos.offset == 0);
}

/* How many of n names may go in any order: the snapshots of a generation; the
 * offset 0 of an index and what the next index has behind its own. */
static size_t batch_length(const char *const *names, size_t n)
{
	size_t i = 1;

	while (i < n && !has_to_wait(names[i - 1], names[i]))
		i++;
	return i;
}

int lsv_retain_remove(struct lsv_client *client,
                      const struct lsv_doomed *doomed, size_t *n_removed)
{
	const struct lsv_client_ops *ops = client->ops;

	*n_removed = 0;
	while (*n_removed < doomed->n) {
		const char *const *names = doomed->at + *n_removed;
		size_t n = batch_length(names, doomed->n - *n_removed);
		int r;

		if (!ops->remove_some)
			n = 1;
		r = n == 1 ? ops->remove(client, names[0])
		           : ops->remove_some(client, names, n);
		if (r < 0)
			return r;
		*n_removed += n;
	}
	return 0;
}

static int find_out(struct lsv_client *client,
                    const struct lsv_retention *retention,
                    struct lsv_stored_list *there)
{
	int r = lsv_catalogue_read(retention->catalogue, there);

	if (r != -ENOENT)
		return r;
	r = lsv_retain_list(client, there);
	if (r < 0)
		return r;
	r = lsv_catalogue_write(retention->catalogue, there, retention->mode);
	if (r < 0)
		lsv_stored_free(there);
	return r;
}

/* The first n of those that were to go are gone. */
static int strike_out(const char *catalogue, mode_t mode,
                      const struct lsv_doomed *doomed, size_t n)
{
	struct lsv_stored_list left = {0};
	int r = 0;

	assert(doomed->at);
	for (size_t i = 0; i < n && r == 0; i++)
		r = lsv_catalogue_note(catalogue, LSV_CATALOGUE_REMOVED,
		                       doomed->at[i], 0);
	if (r == 0)
		r = lsv_catalogue_read(catalogue, &left);
	if (r < 0)
		return r;
	r = lsv_catalogue_write(catalogue, &left, mode);
	lsv_stored_free(&left);
	return r;
}

int lsv_retain(struct lsv_client *client, const struct lsv_retention *retention,
               size_t *n_removed)
{
	struct lsv_stored_list there = {0};
	struct lsv_doomed doomed = {0};
	int r = find_out(client, retention, &there), strike_r;

	*n_removed = 0;
	if (r == 0)
		r = lsv_retain_plan(&there, retention->current,
		                    retention->cutoff_ns, &doomed);
	if (r == 0)
		r = lsv_retain_remove(client, &doomed, n_removed);
	if (*n_removed > 0) {
		strike_r = strike_out(retention->catalogue, retention->mode,
		                      &doomed, *n_removed);
		if (r == 0)
			r = strike_r;
	}
	free(doomed.at);
	lsv_stored_free(&there);
	return r;
}
