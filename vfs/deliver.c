/* SPDX-License-Identifier: MIT */
#include "vfs/deliver.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/adopt.h"
#include "replica/ship/owner.h"
#include "replica/ship/retain.h"
#include "replica/spool/folder.h"
#include "vfs/image.h"
#include "vfs/lead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_NS (20 * LSV_NS_PER_MS)
#define BACKOFF_MIN_NS (500 * LSV_NS_PER_MS)
#define BACKOFF_MAX_NS (60 * LSV_NS_PER_S)

/* What one run of the job works towards. */
struct goal {
	struct lsv_upload upload;
	struct lsv_pos end; /* of the shadow */
	uint64_t ticket;    /* of all that is in it */
	struct lsv_pos at;  /* where the replica is */
	char *gen_dir;
	uint32_t page_size;
};

bool lsv_deliver_wanted(struct lsv_db *db, const struct lsv_pos *end)
{
	struct lsv_replica *replica = &db->replica;

	return !replica->has_snapshot ||
	       replica->shipped.generation != end->generation ||
	       lsv_pos_compare(&replica->shipped, end) < 0;
}

static int set_goal(struct lsv_db *db, struct goal *goal)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (!lsv_lead_holds(db))
		return -EAGAIN;
	if (!db->wal)
		return -ENODATA;
	goal->gen_dir = strdup(db->gen_dir);
	if (!goal->gen_dir)
		return -ENOMEM;
	goal->end = (struct lsv_pos){db->generation, lsv_shadow_index(db->wal),
	                             lsv_shadow_end(db->wal)->commit.end};
	goal->page_size = lsv_shadow_page_size(db->wal);
	goal->ticket = atomic_load(&db->captured_ticket);
	goal->upload = (struct lsv_upload){
		.gen_dir = goal->gen_dir,
		.generation = db->generation,
		.codec = db->config.compression,
	};
	memcpy(goal->upload.lineage, db->state.lineage,
	       sizeof goal->upload.lineage);
	return 0;
}

static bool still_ours(struct lsv_db *db, const struct goal *goal)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	return lsv_lead_holds(db) && db->generation == goal->end.generation;
}

/* I4: the replica is never ahead of durable local state. */
static int sync_wal(struct lsv_db *db)
{
	auto_close int fd = -1;
	int r = 0;

	pthread_mutex_lock(&db->shadow);
	if (db->source.fd >= 0)
		r = lsv_source_is_path(&db->source, db->wal_path);
	if (db->source.fd >= 0 && r == 0)
		fd = dup(db->source.fd);
	else if (db->source.fd < 0)
		/* No connection here, but perhaps one elsewhere. */
		fd = open(db->wal_path, O_RDONLY | O_CLOEXEC);
	pthread_mutex_unlock(&db->shadow);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* closed: it is in the database */
	return fd >= 0 && fdatasync(fd) < 0 ? -EIO : 0;
}

static int make_durable(struct lsv_db *db)
{
	uint64_t resets = atomic_load(&lsv_db_coord(db)->unsynced_resets);
	int r = sync_wal(db);

	if (r == -EIO || r == -ESTALE) {
		pthread_mutex_lock(&db->shadow);
		if (lsv_lead_holds(db))
			lsv_lead_end(db, r == -EIO ? "its WAL cannot be synced"
			                           : "its WAL was replaced");
		pthread_mutex_unlock(&db->shadow);
	}
	if (r < 0 || resets == atomic_load(&db->synced_resets))
		return r;
	r = lsv_db_enter(db);
	if (r < 0)
		return -EAGAIN;
	r = lsv_image_sync_file(db);
	lsv_db_leave(db);
	if (r == 0)
		atomic_store(&db->synced_resets, resets);
	return r;
}

static void publish(struct lsv_db *db)
{
	struct lsv_shipped *out = &lsv_db_coord(db)->shipped[0];
	struct lsv_replica *replica = &db->replica;

	atomic_store(&out->name_hash, db->state.replicas[0].name_hash);
	atomic_store(&out->generation, replica->shipped.generation);
	atomic_store(&out->index, replica->shipped.index);
	atomic_store(&out->offset, replica->shipped.offset);
	atomic_store(&out->txid, replica->txid);
	atomic_store(&out->time_ns, replica->time_ns);
	atomic_store(&out->failing_since_ns, replica->failing_since_ns);
	atomic_store(&out->state, replica->n_failures ? LSV_REPLICA_FAILING
	                                              : LSV_REPLICA_FINE);
}

static void store_state(struct lsv_db *db)
{
	struct lsv_replica_record *record = &db->state.replicas[0];
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	struct lsv_replica *replica = &db->replica;

	pthread_mutex_lock(&db->mutex);
	record->shipped = replica->shipped;
	record->txid = replica->txid;
	record->time_ns = replica->time_ns;
	record->has_snapshot = replica->has_snapshot;
	record->since_snapshot = replica->since_snapshot;
	record->snapshot_bytes = replica->snapshot_bytes;
	record->snapshot_ns = replica->snapshot_ns;
	record->n_segments = replica->n_segments;
	snprintf(record->error, sizeof record->error, "%s", replica->error);
	publish(db);
	pthread_mutex_unlock(&db->mutex);
	if (!lsv_lead_holds(db))
		return;
	db->state.generation = db->generation;
	db->state.epoch = db->epoch;
	lsv_state_store(db->dir, &db->state, db->file_mode);
}

static void advance(struct lsv_db *db, const struct goal *goal)
{
	pthread_mutex_lock(&db->mutex);
	db->replica.shipped = goal->at;
	pthread_mutex_unlock(&db->mutex);
	atomic_fetch_add(&lsv_db_coord(db)->shipped[0].n_puts, 1);
	store_state(db);
}

static int put_snapshot(struct lsv_db *db, struct goal *goal)
{
	struct lsv_replica *replica = &db->replica;
	struct lsv_records base = {0};
	uint64_t n_bytes;
	int r = lsv_upload_snapshot(&goal->upload, replica->client,
	                            goal->at.index, &n_bytes);

	if (r == 0)
		r = lsv_shadow_records(goal->gen_dir, goal->at.index, 0, 0,
		                       true, &base);
	if (r < 0)
		return r;
	pthread_mutex_lock(&db->mutex);
	replica->has_snapshot = true;
	replica->since_snapshot = 0;
	replica->snapshot_ns = lsv_clock_ns();
	if (base.n > 0) {
		replica->txid = base.at[0].commit.txid;
		replica->time_ns = base.at[0].commit.time_ns;
		replica->snapshot_bytes = (uint64_t)base.at[0].commit.db_pages *
		                          goal->page_size;
	}
	pthread_mutex_unlock(&db->mutex);
	free(base.at);
	db->wants_retention = true;
	advance(db, goal);
	lsv_upload_drop_snapshot(&goal->upload, goal->at.index);
	return 0;
}

/* A newer snapshot is when older ones may go.  What cannot be removed does no
 * harm but to the bill. */
static void retain(struct lsv_db *db, uint64_t generation)
{
	int64_t cutoff_ns = lsv_clock_ns() -
	                    db->config.replicas[0].retention_ns;
	size_t n_removed = 0;
	int r;

	if (db->config.replicas[0].retention_ns <= 0)
		return;
	r = lsv_retain(db->replica.client, generation, cutoff_ns, &n_removed);
	if (r < 0 && !db->has_retain_failed)
		(void)log_warn(r,
		               "%s: cannot remove from replica %s what "
		               "retention no longer needs",
		               db->path, db->config.replicas[0].url);
	db->has_retain_failed = r < 0;
}

static int put_lineage(struct lsv_db *db, struct goal *goal)
{
	struct lsv_replica *replica = &db->replica;
	struct lsv_lineage lineage = {
		.parent = db->parent,
		.db_path = db->path,
		.sqlite_version = sqlite3_libversion(),
		.reason = db->origin,
	};
	int r;

	if (db->parent.generation == 0)
		lsv_folder_parent(db->dir, &lineage.parent);
	r = lsv_owner_put(replica->client, goal->upload.lineage,
	                  goal->end.generation, db->path);
	if (r == 0)
		r = lsv_upload_lineage(&goal->upload, replica->client,
		                       &lineage);
	if (r == 0)
		replica->has_owner = true;
	return r;
}

/* Where an index ends: at the goal, or with its last record. */
static int index_end(const struct goal *goal, uint64_t *end)
{
	struct lsv_records records = {0};
	int r;

	*end = goal->at.offset;
	if (goal->at.index == goal->end.index) {
		*end = goal->end.offset;
		return 0;
	}
	r = lsv_shadow_records(goal->gen_dir, goal->at.index, goal->at.offset,
	                       UINT64_MAX, false, &records);
	if (r == 0 && records.n > 0)
		*end = records.at[records.n - 1].commit.end;
	free(records.at);
	return r;
}

/* The commits (goal->at, 'last'] are on the replica. */
static void segment_is_there(struct lsv_db *db, struct goal *goal,
                             const struct lsv_commit *last)
{
	struct lsv_replica *replica = &db->replica;

	pthread_mutex_lock(&db->mutex);
	replica->n_segments++;
	replica->since_snapshot += last->end - goal->at.offset;
	replica->txid = last->txid;
	replica->time_ns = last->time_ns;
	pthread_mutex_unlock(&db->mutex);
	goal->at.offset = last->end;
	advance(db, goal);
	pthread_mutex_lock(&db->shadow);
	if (db->wal && lsv_shadow_index(db->wal) == goal->at.index)
		db->n_segments++;
	pthread_mutex_unlock(&db->shadow);
}

static int record_at(const struct goal *goal, uint64_t end,
                     struct lsv_commit *commit)
{
	struct lsv_records records = {0};
	int r = lsv_shadow_records(goal->gen_dir, goal->at.index, end - 1, end,
	                           false, &records);

	if (r == 0 && records.n == 0)
		r = -EBADMSG;
	if (r == 0)
		*commit = records.at[0].commit;
	free(records.at);
	return r;
}

static int put_segment(struct lsv_db *db, struct goal *goal, uint64_t to)
{
	struct lsv_replica *replica = &db->replica;
	struct lsv_commit last;
	uint64_t n_bytes;
	int r = make_durable(db);

	if (r == 0 && !still_ours(db, goal))
		r = -EAGAIN;
	if (r == 0)
		r = lsv_upload_segment(&goal->upload, replica->client,
		                       goal->at.index, goal->at.offset, to,
		                       &n_bytes);
	if (r == -ENOENT)
		r = -ENOLINK; /* what it continues is gone */
	if (r == 0)
		r = record_at(goal, to, &last);
	else if (r == -EEXIST)
		r = lsv_adopt_segment(&goal->upload, replica->client,
		                      goal->at.index, goal->at.offset, &last);
	if (r == 0)
		segment_is_there(db, goal, &last);
	return r;
}

/* The page map no longer needs what is before the shadow's end: without it a
 * restart could not bring the map there. */
static int mark_pages(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (!lsv_lead_holds(db) || !db->wal || !db->pages)
		return -EAGAIN;
	return lsv_pagemap_mark(db->pages, lsv_shadow_index(db->wal),
	                        lsv_shadow_end(db->wal)->commit.end);
}

/* The whole of an index is there: on to the next, and its shadow may go. */
static void next_index(struct lsv_db *db, struct goal *goal)
{
	uint32_t done = goal->at.index;

	goal->at = (struct lsv_pos){goal->end.generation, done + 1, 0};
	pthread_mutex_lock(&db->mutex);
	db->replica.n_segments = 0;
	pthread_mutex_unlock(&db->mutex);
	advance(db, goal);
	if (mark_pages(db) == 0)
		lsv_folder_remove_index(goal->gen_dir, done);
}

/* One object, or one step on.  1: more to do. */
static int step(struct lsv_db *db, struct goal *goal)
{
	uint64_t to;
	int r;

	if (!still_ours(db, goal))
		return -EAGAIN;
	if (goal->at.offset == 0 &&
	    lsv_upload_has_spooled(&goal->upload, goal->at.index)) {
		r = put_snapshot(db, goal);
		return r < 0 ? r : 1;
	}
	if (!db->replica.has_snapshot)
		return -ENODATA;
	if (!db->replica.has_owner) {
		r = put_lineage(db, goal);
		return r < 0 ? r : 1;
	}
	if (db->wants_retention) {
		db->wants_retention = false;
		retain(db, goal->end.generation);
	}
	r = index_end(goal, &to);
	if (r < 0)
		return r;
	if (to > goal->at.offset) {
		r = put_segment(db, goal, to);
		return r < 0 ? r : 1;
	}
	if (goal->at.index < goal->end.index) {
		next_index(db, goal);
		return 1;
	}
	return 0;
}

static int open_client(struct lsv_db *db)
{
	struct lsv_replica *replica = &db->replica;
	char why[LSV_OWNER_WHY_SIZE];
	int r;

	if (replica->client)
		return 0;
	r = lsv_client_open(db->config.replicas[0].url,
	                    &db->config.replicas[0].options, &replica->client);
	if (r < 0)
		return r;
	if (db->config.takeover)
		r = lsv_owner_put(replica->client, db->state.lineage,
		                  db->generation, db->path);
	else
		r = lsv_owner_check(replica->client, db->state.lineage,
		                    db->path, why);
	if (r == 0)
		return 0;
	lsv_client_close(take(replica->client));
	if (r == -EPERM) {
		pthread_mutex_lock(&db->mutex);
		if (replica->n_failures == 0)
			log_error(0, "cannot replicate %s: %s", db->path, why);
		snprintf(replica->error, sizeof replica->error, "%.*s",
		         (int)sizeof replica->error - 1, why);
		pthread_mutex_unlock(&db->mutex);
	}
	return r;
}

static int run(struct lsv_db *db, struct goal *goal)
{
	int r = set_goal(db, goal);

	if (r == 0)
		r = open_client(db);
	if (r < 0)
		return r;
	pthread_mutex_lock(&db->mutex);
	if (db->replica.shipped.generation != goal->end.generation) {
		db->replica.shipped = (struct lsv_pos){goal->end.generation, 0,
		                                       0};
		db->replica.has_snapshot = db->replica.has_owner = false;
	}
	goal->at = db->replica.shipped;
	pthread_mutex_unlock(&db->mutex);
	do {
		r = step(db, goal);
	} while (r > 0);
	return r;
}

static void succeeded(struct lsv_db *db, const struct goal *goal)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	struct lsv_replica *replica = &db->replica;

	pthread_mutex_lock(&db->mutex);
	if (replica->failing_since_ns)
		log_info("%s: replica %s is reached again", db->path,
		         db->config.replicas[0].url);
	replica->n_failures = 0;
	replica->failing_since_ns = 0;
	replica->retry_ns = 0;
	replica->error[0] = 0;
	replica->last_put_ns = lsv_clock_mono_ns();
	pthread_mutex_unlock(&db->mutex);
	atomic_store(&db->last_put_failed, 0);
	atomic_store(&db->is_refused, 0);
	if (goal->ticket > atomic_load(&coord->shipped_ticket))
		atomic_store(&coord->shipped_ticket, goal->ticket);
	store_state(db);
}

static void failed(struct lsv_db *db, int r)
{
	struct lsv_replica *replica = &db->replica;
	int64_t wait_ns = BACKOFF_MIN_NS;

	pthread_mutex_lock(&db->mutex);
	for (uint32_t i = 0; i < replica->n_failures; i++)
		if (wait_ns < BACKOFF_MAX_NS)
			wait_ns *= 2;
	if (r != -EPERM || !replica->error[0])
		snprintf(replica->error, sizeof replica->error, "%s",
		         strerror(-r));
	if (replica->n_failures == 0 && r != -EPERM)
		log_error(0,
		          "%s: cannot put to replica %s: %s; commits go on, "
		          "it will be tried again",
		          db->path, db->config.replicas[0].url, replica->error);
	if (replica->n_failures++ == 0)
		replica->failing_since_ns = lsv_clock_ns();
	replica->retry_ns = lsv_clock_mono_ns() + wait_ns;
	pthread_mutex_unlock(&db->mutex);
	atomic_store(&db->is_refused, r == -EPERM);
	atomic_store(&db->last_put_failed, 1);
	store_state(db);
}

static void end_because(struct lsv_db *db, const char *why)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (lsv_lead_holds(db) && !db->reason[0])
		lsv_lead_end(db, "%s", why);
	/* Nothing more of it can be delivered. */
	pthread_mutex_lock(&db->mutex);
	db->replica.has_snapshot = false;
	pthread_mutex_unlock(&db->mutex);
}

/* What is in the way passes by itself: a lock, another leader. */
static void again_soon(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	db->replica.retry_ns = lsv_clock_mono_ns() + AGAIN_NS;
}

void lsv_deliver(struct lsv_db *db)
{
	struct goal goal = {0};
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int r = run(db, &goal);

	if (r == 0)
		succeeded(db, &goal);
	else if (r == -EEXIST)
		end_because(db, "the replica has objects of this generation "
		                "that are not ours");
	else if (r == -ENOLINK)
		end_because(db, "the replica lost what it had of it");
	else if (r == -ENODATA)
		end_because(db, "its snapshot was not delivered");
	else if (r == -EBADMSG)
		end_because(db, "what is in the local folder does not verify");
	else if (r == -EAGAIN)
		again_soon(db);
	else
		failed(db, r);
	free(goal.gen_dir);
	atomic_fetch_add(&coord->done, 1);
	if (atomic_load(&coord->waiters))
		lsv_futex_wake(&coord->done, INT_MAX);
}

void lsv_deliver_probe(struct lsv_db *db)
{
	struct goal goal = {0};
	int r = open_client(db);

	if (r == 0)
		r = lsv_owner_put(db->replica.client, db->state.lineage,
		                  db->generation, db->path);
	if (r < 0)
		failed(db, r);
	else
		succeeded(db, &goal);
}
