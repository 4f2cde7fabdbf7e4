/* SPDX-License-Identifier: MIT */
#include "vfs/space.h"

#include "replica/base/clock.h"
#include "replica/spool/folder.h"
#include "vfs/lead.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_NS LSV_NS_PER_S
/* One that neither fails nor gets done in that time is too slow. */
#define SLOW_NS (30 * LSV_NS_PER_S)

/* Under db->mutex: it has all of the generation before 'index', and the
 * snapshot there (or never needs it). */
static bool is_past(const struct lsv_replica *replica, uint32_t index)
{
	const struct lsv_pos *at = &replica->shipped;

	return at->generation == replica->db->generation &&
	       replica->has_snapshot &&
	       (at->index > index ||
	        (at->index == index &&
	         (at->offset > 0 || replica->snapshot_index == index)));
}

/* The first index that somebody lacks something of, the snapshot there
 * aside. */
static uint32_t first_needed(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	uint32_t needed = UINT32_MAX;

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];
		bool is_here = replica->shipped.generation == db->generation;
		uint32_t index = is_here ? replica->shipped.index : 0;

		if (index < needed && !(is_here && replica->is_broken))
			needed = index;
	}
	return needed;
}

static bool is_snapshot_needed(struct lsv_db *db, uint32_t index)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];

		if (!replica->is_broken && !is_past(replica, index))
			return true;
	}
	return false;
}

/* Under the shadow's mutex. */
static void release(struct lsv_db *db)
{
	const struct lsv_upload upload = {.gen_dir = db->gen_dir,
	                                  .generation = db->generation};
	struct lsv_indexes indexes = {0};
	uint32_t current = lsv_shadow_index(db->wal);
	uint32_t needed = first_needed(db);

	if (needed > current)
		needed = current;
	/* The page map no longer needs what is before the shadow's end:
	 * without that a restart could not bring the map there. */
	if (lsv_pagemap_mark(db->pages, current,
	                     lsv_shadow_end(db->wal)->commit.end) < 0 ||
	    lsv_folder_indexes(db->gen_dir, &indexes) < 0)
		return;
	for (size_t i = 0; i < indexes.n; i++) {
		uint32_t index = indexes.at[i];

		if (index < needed)
			lsv_folder_remove_index(db->gen_dir, index);
		if (index < needed || !is_snapshot_needed(db, index))
			lsv_upload_drop_snapshot(&upload, index);
	}
	free(indexes.at);
}

void lsv_space_release(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (lsv_lead_holds(db) && db->wal && db->pages)
		release(db);
}

/* Under db->mutex. */
static bool holds_up(const struct lsv_replica *replica,
                     const struct lsv_pos *end, int64_t now_ns)
{
	if (replica->is_broken || !lsv_replica_wants(replica, end))
		return false;
	return replica->n_failures ||
	       (replica->is_job_queued &&
	        now_ns - replica->job_since_ns > SLOW_NS);
}

/* Those that hold it up, as bits; *n_live: how many still get anything. */
static uint32_t find_laggards(struct lsv_db *db, const struct lsv_pos *end,
                              int64_t now_ns, uint32_t *n_live)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	uint32_t laggards = 0;

	*n_live = 0;
	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];

		*n_live += !replica->is_broken;
		if (holds_up(replica, end, now_ns))
			laggards |= 1u << i;
	}
	return laggards;
}

/* Under the shadow's mutex. */
static void bound(struct lsv_db *db, int64_t now_ns)
{
	const struct lsv_pos end = {db->generation, lsv_shadow_index(db->wal),
	                            lsv_shadow_end(db->wal)->commit.end};
	uint64_t bytes = lsv_folder_bytes(db->gen_dir);
	uint32_t n_live, laggards;

	if (bytes <= db->config.max_local_bytes)
		return;
	laggards = find_laggards(db, &end, now_ns, &n_live);
	if (!laggards)
		return;
	if ((uint32_t)__builtin_popcount(laggards) < n_live) {
		for (size_t i = 0; i < db->config.n_replicas; i++)
			if (laggards & 1u << i)
				lsv_replica_give_up(&db->replicas[i], bytes);
		if (lsv_lead_holds(db) && db->pages)
			release(db);
		return;
	}
	lsv_lead_end(db,
	             "its replica is behind by %" PRIu64
	             " bytes, more than max-local-bytes",
	             bytes);
	lsv_lead_clear(db);
	db->is_over_limit = true;
}

/* Somebody fails or is at work for long: else nothing piles up. */
static bool may_pile_up(struct lsv_db *db, int64_t now_ns)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];

		if (!replica->is_broken &&
		    (replica->n_failures ||
		     (replica->is_job_queued &&
		      now_ns - replica->job_since_ns > SLOW_NS)))
			return true;
	}
	return false;
}

void lsv_space_bound(struct lsv_db *db, int64_t now_ns)
{
	auto_unlock pthread_mutex_t *held = NULL;

	if (now_ns < db->space_due_ns || !may_pile_up(db, now_ns))
		return;
	db->space_due_ns = now_ns + LOOK_NS;
	held = lsv_lock(&db->shadow);
	if (lsv_lead_holds(db) && atomic_load(&db->role) == LSV_LIVE)
		bound(db, now_ns);
}
