/* SPDX-License-Identifier: MIT */
#include "vfs/haul.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/adopt.h"
#include "replica/ship/owner.h"
#include "replica/ship/retain.h"
#include "replica/spool/folder.h"
#include "vfs/durable.h"
#include "vfs/lead.h"
#include "vfs/space.h"

#include <errno.h>
#include <string.h>

bool lsv_haul_is_current(const struct lsv_haul *haul)
{
	struct lsv_db *db = haul->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	return lsv_lead_holds(db) && db->generation == haul->end.generation;
}

static void advance(struct lsv_haul *haul)
{
	struct lsv_db *db = haul->db;
	struct lsv_replica *replica = haul->replica;

	pthread_mutex_lock(&db->mutex);
	replica->shipped = haul->at;
	pthread_mutex_unlock(&db->mutex);
	atomic_fetch_add(&lsv_db_coord(db)->shipped[replica->slot].n_puts, 1);
	lsv_replicas_store(db);
}

/* ---- Snapshots ---- */

static bool has_snapshot_to_put(const struct lsv_haul *haul)
{
	const struct lsv_replica *replica = haul->replica;

	return haul->at.offset == 0 &&
	       !(replica->has_snapshot &&
	         replica->snapshot_index == haul->at.index) &&
	       lsv_upload_has_spooled(&haul->upload, haul->at.index);
}

/* The commit where an index begins. */
static int base_of(const struct lsv_haul *haul, uint32_t index,
                   struct lsv_commit *base)
{
	struct lsv_records records = {0};
	int r = lsv_shadow_records(haul->gen_dir, index, 0, 0, true, &records);

	if (r == 0 && records.n == 0)
		r = -EBADMSG;
	if (r == 0)
		*base = records.at[0].commit;
	free(records.at);
	return r;
}

static int put_snapshot(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	auto_free char *name = lsv_layout_snapshot(
		haul->end.generation, haul->at.index, haul->upload.codec);
	struct lsv_commit base;
	uint64_t n_bytes;
	int r = name ? base_of(haul, haul->at.index, &base) : -ENOMEM;

	if (r == 0)
		r = lsv_catalogue_note(haul->catalogue, LSV_CATALOGUE_PUTTING,
		                       name, base.time_ns);
	if (r == 0)
		r = lsv_upload_snapshot(&haul->upload, replica->client,
		                        haul->at.index, &n_bytes);
	if (r == 0)
		r = lsv_catalogue_note(haul->catalogue, LSV_CATALOGUE_PUT, name,
		                       base.time_ns);
	if (r < 0)
		return r;
	lsv_replica_has_snapshot(replica, haul->at.index, &base,
	                         haul->page_size);
	advance(haul);
	lsv_space_release(haul->db);
	return 0;
}

/* A newer snapshot is when older ones may go.  What cannot be removed does no
 * harm but to the bill. */
static void retain(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	int64_t retention_ns = replica->config->retention_ns;
	struct lsv_retention retention = {
		.catalogue = haul->catalogue,
		.mode = haul->db->file_mode,
		.current = haul->end.generation,
		.cutoff_ns = lsv_clock_ns() - retention_ns,
	};
	size_t n_removed = 0;
	int r;

	if (retention_ns <= 0)
		return;
	r = lsv_retain(replica->client, &retention, &n_removed);
	if (r < 0 && !replica->has_retain_failed)
		(void)log_warn(r,
		               "%s: cannot remove from replica %s what "
		               "retention no longer needs",
		               haul->db->path, replica->config->url);
	replica->has_retain_failed = r < 0;
}

static int note_lineage(const struct lsv_haul *haul)
{
	auto_free char *name = lsv_layout_lineage(haul->end.generation);

	return name ? lsv_catalogue_note(haul->catalogue, LSV_CATALOGUE_PUT,
	                                 name, lsv_clock_ns())
	            : -ENOMEM;
}

/* Why the generation began; NULL: unknown, it was another process's. */
static char *copy_origin(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	return db->origin ? strdup(db->origin) : NULL;
}

static int put_lineage(struct lsv_haul *haul)
{
	struct lsv_db *db = haul->db;
	auto_free char *origin = copy_origin(db);
	struct lsv_replica *replica = haul->replica;
	struct lsv_lineage lineage = {
		.parent = db->parent,
		.db_path = db->path,
		.sqlite_version = sqlite3_libversion(),
		.reason = origin ? origin : "",
	};
	int r;

	if (db->parent.generation == 0)
		lsv_folder_parent(db->dir, &lineage.parent);
	r = lsv_owner_put(replica->client, haul->upload.lineage,
	                  haul->end.generation, db->path);
	if (r == 0)
		r = lsv_upload_lineage(&haul->upload, replica->client,
		                       &lineage);
	if (r == 0)
		r = note_lineage(haul);
	if (r < 0)
		return r;
	pthread_mutex_lock(&db->mutex);
	replica->has_owner = true;
	pthread_mutex_unlock(&db->mutex);
	return 0;
}

/* ---- Segments ---- */

/* Where an index ends: at the goal, or with its last record.  That is where
 * the next one begins, unless a power loss took what was not synced (I1). */
static int index_end(const struct lsv_haul *haul, uint64_t *end)
{
	struct lsv_record last;
	struct lsv_commit next;
	int r;

	*end = haul->end.offset;
	if (haul->at.index == haul->end.index)
		return 0;
	r = lsv_shadow_last(haul->gen_dir, haul->at.index, &last);
	if (r == 0)
		r = base_of(haul, haul->at.index + 1, &next);
	if (r == 0 && (next.txid != last.commit.txid ||
	               next.page_hash != last.commit.page_hash))
		r = -EBADMSG;
	if (r == 0)
		*end = last.commit.end;
	return r == -ENOENT ? -ENODATA : r;
}

/* The commits (at, 'last'] are on the replica. */
static void segment_is_there(struct lsv_haul *haul,
                             const struct lsv_commit *last)
{
	struct lsv_db *db = haul->db;
	struct lsv_replica *replica = haul->replica;
	uint32_t n_segments;

	pthread_mutex_lock(&db->mutex);
	n_segments = ++replica->n_segments;
	replica->since_snapshot += last->end - haul->at.offset;
	replica->txid = last->txid;
	replica->time_ns = last->time_ns;
	pthread_mutex_unlock(&db->mutex);
	haul->at.offset = last->end;
	advance(haul);
	pthread_mutex_lock(&db->shadow);
	if (db->wal && lsv_shadow_index(db->wal) == haul->at.index &&
	    n_segments > db->n_segments)
		db->n_segments = n_segments;
	pthread_mutex_unlock(&db->shadow);
}

static int record_at(const struct lsv_haul *haul, uint64_t end,
                     struct lsv_commit *commit)
{
	struct lsv_records records = {0};
	int r = lsv_shadow_records(haul->gen_dir, haul->at.index, end - 1, end,
	                           false, &records);

	if (r == 0 && records.n == 0)
		r = -EBADMSG;
	if (r == 0)
		*commit = records.at[0].commit;
	free(records.at);
	return r;
}

/* A segment that is not there is removed in vain, and no harm done. */
static int note_segment(const struct lsv_haul *haul, uint64_t to)
{
	auto_free char *name = lsv_layout_segment(&haul->at,
	                                          haul->upload.codec);
	struct lsv_commit last = {0};
	int r = name ? record_at(haul, to, &last) : -ENOMEM;

	return r < 0 ? r
	             : lsv_catalogue_note(haul->catalogue, LSV_CATALOGUE_PUT,
	                                  name, last.time_ns);
}

static int put_segment(struct lsv_haul *haul, uint64_t to)
{
	struct lsv_replica *replica = haul->replica;
	struct lsv_commit last;
	uint64_t n_bytes;
	int r = lsv_make_durable(haul->db);

	if (r == 0 && !lsv_haul_is_current(haul))
		r = -EAGAIN;
	if (r == 0)
		r = note_segment(haul, to);
	if (r == 0)
		r = lsv_upload_segment(&haul->upload, replica->client,
		                       haul->at.index, haul->at.offset, to,
		                       &n_bytes);
	if (r == -ENOENT)
		r = -ENOLINK; /* what it continues is gone */
	if (r == 0)
		r = record_at(haul, to, &last);
	else if (r == -EEXIST)
		r = lsv_adopt_segment(&haul->upload, replica->client,
		                      haul->at.index, haul->at.offset, &last);
	if (r == 0)
		segment_is_there(haul, &last);
	return r;
}

/* The whole of an index is there: on to the next, and its shadow may go. */
static void next_index(struct lsv_haul *haul)
{
	haul->at = (struct lsv_pos){haul->end.generation, haul->at.index + 1,
	                            0};
	pthread_mutex_lock(&haul->db->mutex);
	haul->replica->n_segments = 0;
	pthread_mutex_unlock(&haul->db->mutex);
	advance(haul);
	lsv_space_release(haul->db);
}

static int step(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	uint64_t to;
	int r;

	if (has_snapshot_to_put(haul))
		return put_snapshot(haul);
	if (!replica->has_snapshot)
		return -ENODATA;
	if (!replica->has_owner)
		return put_lineage(haul);
	if (replica->wants_retention) {
		replica->wants_retention = false;
		retain(haul);
	}
	r = index_end(haul, &to);
	if (r < 0)
		return r;
	if (to > haul->at.offset)
		return put_segment(haul, to);
	if (haul->at.index < haul->end.index)
		next_index(haul);
	return 0;
}

int lsv_haul_step(struct lsv_haul *haul)
{
	struct lsv_replica *replica = haul->replica;
	int r;

	if (!lsv_haul_is_current(haul))
		return -EAGAIN;
	r = step(haul);
	if (r < 0)
		return r;
	return !replica->has_owner || replica->wants_retention ||
	       haul->at.index < haul->end.index ||
	       haul->at.offset < haul->end.offset;
}
