/* SPDX-License-Identifier: MIT */
#include "vfs/deliver.h"

#include "replica/base/clock.h"
#include "replica/ship/owner.h"
#include "replica/spool/catalogue.h"
#include "replica/spool/folder.h"
#include "vfs/haul.h"
#include "vfs/lead.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_NS (20 * LSV_NS_PER_MS)

static int set_goal(struct lsv_haul *haul)
{
	struct lsv_db *db = haul->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	/* The snapshot belongs before the first segment of its index. */
	if (!lsv_lead_holds(db) || db->is_snapshot_pending)
		return -EAGAIN;
	if (!db->wal)
		return -ENODATA;
	haul->gen_dir = strdup(db->gen_dir);
	haul->catalogue = lsv_catalogue_path(
		db->dir, lsv_replica_hash(haul->replica->config));
	if (!haul->gen_dir || !haul->catalogue)
		return -ENOMEM;
	haul->end = (struct lsv_pos){db->generation, lsv_shadow_index(db->wal),
	                             lsv_shadow_end(db->wal)->commit.end};
	haul->page_size = lsv_shadow_page_size(db->wal);
	haul->ticket = atomic_load(&db->captured_ticket);
	haul->upload = (struct lsv_upload){
		.gen_dir = haul->gen_dir,
		.generation = db->generation,
		.codec = db->config.compression,
	};
	memcpy(haul->upload.lineage, db->state->lineage,
	       sizeof haul->upload.lineage);
	return 0;
}

static int open_client(struct lsv_replica *replica,
                       char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_db *db = replica->db;
	struct lsv_pos parent = {0};
	int r;

	if (replica->client)
		return 0;
	lsv_folder_parent(db->dir, &parent);
	r = lsv_client_open(replica->config->url, &replica->config->options,
	                    &replica->client);
	if (r < 0)
		return r;
	if (db->config.takeover)
		r = lsv_owner_put(replica->client, db->state->lineage,
		                  db->generation, db->path);
	else
		r = lsv_owner_check(replica->client, db->state->lineage,
		                    db->path, parent.generation, why);
	if (r < 0 && r != -EPERM)
		snprintf(why, LSV_OWNER_WHY_SIZE, "%s",
		         lsv_client_why(replica->client, r));
	if (r < 0)
		lsv_client_close(take(replica->client));
	return r;
}

/* Where it is in the generation; whether it was given up in it. */
static bool set_out(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	auto_unlock pthread_mutex_t *held = lsv_lock(&haul->db->mutex);

	if (replica->shipped.generation != haul->end.generation) {
		replica->shipped = (struct lsv_pos){haul->end.generation, 0, 0};
		replica->has_snapshot = replica->has_owner = false;
		replica->snapshot_index = 0;
		replica->n_segments = 0;
	}
	haul->at = replica->shipped;
	return replica->is_broken;
}

static int run(struct lsv_haul *haul, char why[LSV_OWNER_WHY_SIZE])
{
	struct lsv_replica *replica = haul->replica;
	int r = set_goal(haul);

	if (r == 0)
		r = open_client(replica, why);
	if (r < 0)
		return r;
	if (set_out(haul)) {
		r = lsv_owner_put(replica->client, haul->upload.lineage,
		                  haul->end.generation, haul->db->path);
		return r < 0 ? r : -ENXIO;
	}
	do {
		r = lsv_haul_step(haul);
	} while (r > 0);
	return r;
}

static void end_because(struct lsv_replica *replica, const char *why)
{
	struct lsv_db *db = replica->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (lsv_lead_holds(db) && !db->reason[0]) {
		if (db->config.n_replicas == 1)
			lsv_lead_end(db, "the replica %s", why);
		else
			lsv_lead_end(db, "replica %s %s", replica->config->name,
			             why);
	}
	/* Nothing more of it can be delivered. */
	pthread_mutex_lock(&db->mutex);
	replica->has_snapshot = false;
	pthread_mutex_unlock(&db->mutex);
}

/* What is in the way passes by itself: a lock, another leader. */
static void again_soon(struct lsv_replica *replica)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	replica->retry_ns = lsv_clock_mono_ns() + AGAIN_NS;
}

/* What no later try of this generation could mend. */
static const struct {
	int r;
	const char *why;
} ends[] = {
	{-EEXIST, "has objects of this generation that are not ours"},
	{-ENOLINK, "lost what it had of it"},
	{-ENODATA, "lacks what is not here any more"},
	{-ENXIO, "answers again, and lacks what is not here any more"},
	{-EBADMSG, "waits for what does not verify in the local folder"},
};

/* Given up while it was at work: whatever came of that, it waits its time. */
static bool was_given_up(struct lsv_replica *replica)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	return replica->is_broken;
}

static void conclude(struct lsv_haul *haul, int r, const char *why)
{
	struct lsv_replica *replica = haul->replica;

	/* Of a generation that is not led any more nothing means anything. */
	if (r < 0 && haul->end.generation && !lsv_haul_is_current(haul))
		r = -EAGAIN;
	if (r == -ENODATA && was_given_up(replica))
		return;
	if (r == 0 || r == -ENXIO)
		lsv_replica_succeeded(replica, r == 0 ? haul->ticket : 0);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (ends[i].r != r)
			continue;
		end_because(replica, ends[i].why);
		return;
	}
	if (r == -EAGAIN)
		again_soon(replica);
	else if (r < 0)
		lsv_replica_failed(replica, r, why);
}

void lsv_deliver(struct lsv_db *db, struct lsv_replica *replica)
{
	struct lsv_haul haul = {.db = db, .replica = replica};
	struct lsv_coord_page *coord = lsv_db_coord(db);
	char why[LSV_OWNER_WHY_SIZE] = "";

	conclude(&haul, run(&haul, why), why);
	free(haul.gen_dir);
	free(haul.catalogue);
	atomic_fetch_add(&coord->done, 1);
	if (atomic_load(&coord->waiters))
		lsv_futex_wake(&coord->done, INT_MAX);
}

void lsv_deliver_probe(struct lsv_db *db, struct lsv_replica *replica)
{
	char why[LSV_OWNER_WHY_SIZE] = "";
	int r = open_client(replica, why);

	if (r == 0)
		r = lsv_owner_put(replica->client, db->state->lineage,
		                  db->generation, db->path);
	if (r < 0)
		lsv_replica_failed(replica, r, why);
	else
		lsv_replica_succeeded(replica, 0);
}
