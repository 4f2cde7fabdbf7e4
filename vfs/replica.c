/* SPDX-License-Identifier: MIT */
#include "vfs/replica.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/url.h"
#include "replica/wal/pagehash.h"
#include "vfs/bell.h"
#include "vfs/lead.h"
#include "vfs/sentence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BACKOFF_MIN_NS (500 * LSV_NS_PER_MS)
#define BACKOFF_MAX_NS (60 * LSV_NS_PER_S)
/* One that was given up costs all of them a snapshot when it comes back. */
#define GIVEN_UP_MIN_NS LSV_NS_PER_S
#define GIVEN_UP_MAX_NS (600 * LSV_NS_PER_S)

int lsv_replicas_open(struct lsv_db *db)
{
	size_t n = db->config.n_replicas;

	db->replicas = calloc(n ? n : 1, sizeof *db->replicas);
	if (!db->replicas)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		db->replicas[i].db = db;
		db->replicas[i].config = &db->config.replicas[i];
		db->replicas[i].slot = (uint32_t)i;
	}
	return 0;
}

void lsv_replicas_close(struct lsv_db *db)
{
	for (size_t i = 0; db->replicas && i < db->config.n_replicas; i++) {
		lsv_client_close(db->replicas[i].client);
		free(db->replicas[i].rival);
		lsv_sentence_clear(&db->replicas[i].error);
	}
	free(take(db->replicas));
}

/* ---- What is remembered ---- */

uint64_t lsv_replica_hash(const struct lsv_replica_config *config)
{
	return lsv_xxh64(config->url, strlen(config->url));
}

static const struct lsv_replica_record *find_record(
	const struct lsv_replica_record *records, uint64_t name_hash)
{
	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++)
		if (records[i].name_hash == name_hash)
			return &records[i];
	return NULL;
}

/* Under db->mutex. */
static void load(struct lsv_replica *replica,
                 const struct lsv_replica_record *record)
{
	uint64_t generation = replica->db->generation;
	bool is_same = record->shipped.generation == generation;

	replica->shipped = is_same ? record->shipped
	                           : (struct lsv_pos){generation, 0, 0};
	replica->txid = record->txid;
	replica->time_ns = record->time_ns;
	replica->has_snapshot = record->has_snapshot && is_same;
	replica->has_owner = record->has_owner && is_same;
	replica->is_broken = record->is_broken && is_same;
	replica->snapshot_index = is_same ? record->snapshot_index : 0;
	replica->since_snapshot = record->since_snapshot;
	replica->snapshot_bytes = record->snapshot_bytes;
	replica->snapshot_ns = record->snapshot_ns;
	replica->n_segments = record->n_segments;
}

/* Whoever reads it meanwhile never takes one generation's for another's: that
 * is left first, and entered last. */
static void publish(const struct lsv_replica *replica)
{
	uint64_t name_hash = lsv_replica_hash(replica->config);
	struct lsv_shipped *out =
		&lsv_db_coord(replica->db)->shipped[replica->slot];
	bool is_begun = replica->has_snapshot && replica->has_owner;
	uint64_t generation = is_begun ? replica->shipped.generation : 0;

	if (atomic_load(&out->generation) != generation ||
	    atomic_load(&out->name_hash) != name_hash)
		atomic_store(&out->generation, 0);
	atomic_store(&out->name_hash, name_hash);
	atomic_store(&out->index, replica->shipped.index);
	atomic_store(&out->offset, replica->shipped.offset);
	atomic_store(&out->txid, replica->txid);
	atomic_store(&out->time_ns, replica->time_ns);
	atomic_store(&out->failing_since_ns, replica->failing_since_ns);
	atomic_store(&out->state, replica->is_broken    ? LSV_REPLICA_BROKEN
	                          : replica->n_failures ? LSV_REPLICA_FAILING
	                                                : LSV_REPLICA_FINE);
	atomic_store(&out->generation, generation);
}

/* Under db->mutex. */
static void publish_all(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	for (size_t i = 0; i < db->config.n_replicas; i++)
		publish(&db->replicas[i]);
	for (size_t i = db->config.n_replicas; i < LSV_REPLICAS_MAX; i++)
		atomic_store(&coord->shipped[i].name_hash, 0);
}

void lsv_replicas_load(struct lsv_db *db, const struct lsv_state *state)
{
	static const struct lsv_replica_record unknown;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica_record *found = find_record(
			state->replicas,
			lsv_replica_hash(&db->config.replicas[i]));

		load(&db->replicas[i], found ? found : &unknown);
	}
	/* From the first moment on: who follows looks whether its own are
	 * among them. */
	publish_all(db);
}

bool lsv_replicas_have(const struct lsv_db *db, const struct lsv_state *state,
                       const struct lsv_pos *pos)
{
	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica_record *record = find_record(
			state->replicas,
			lsv_replica_hash(&db->config.replicas[i]));

		if (!record || !record->has_snapshot ||
		    record->shipped.generation != pos->generation ||
		    lsv_pos_compare(&record->shipped, pos) < 0)
			return false;
	}
	return pos->generation != 0;
}

void lsv_replicas_in(struct lsv_db *db, uint32_t index, uint64_t *offset,
                     uint32_t *n_segments)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	*offset = 0;
	*n_segments = 0;
	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];
		const struct lsv_pos *shipped = &replica->shipped;

		if (shipped->generation != db->generation ||
		    shipped->index != index)
			continue;
		if (shipped->offset > *offset)
			*offset = shipped->offset;
		if (replica->n_segments > *n_segments)
			*n_segments = replica->n_segments;
	}
}

void lsv_replicas_begin(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	for (size_t i = 0; i < db->config.n_replicas; i++)
		db->replicas[i].is_broken = false;
}

static void fill(const struct lsv_replica *replica,
                 struct lsv_replica_record *record)
{
	const struct lsv_replica_config *config = replica->config;

	record->name_hash = lsv_replica_hash(config);
	snprintf(record->name, sizeof record->name, "%.*s",
	         LSV_NAME_TEXT_SIZE - 1, config->name);
	lsv_url_show(config->url, record->url, sizeof record->url);
	record->shipped = replica->shipped;
	record->txid = replica->txid;
	record->time_ns = replica->time_ns;
	record->has_snapshot = replica->has_snapshot;
	record->has_owner = replica->has_owner;
	record->is_broken = replica->is_broken;
	record->snapshot_index = replica->snapshot_index;
	record->since_snapshot = replica->since_snapshot;
	record->snapshot_bytes = replica->snapshot_bytes;
	record->snapshot_ns = replica->snapshot_ns;
	record->n_segments = replica->n_segments;
	snprintf(record->error, sizeof record->error, "%s",
	         replica->error ? replica->error : "");
}

void lsv_replicas_store_held(struct lsv_db *db)
{
	struct lsv_state state = {.tuple = db->tuple};

	if (!db->has_state || !lsv_lead_holds(db))
		return;
	pthread_mutex_lock(&db->mutex);
	publish_all(db);
	for (size_t i = 0; i < db->config.n_replicas; i++)
		fill(&db->replicas[i], &state.replicas[i]);
	pthread_mutex_unlock(&db->mutex);
	state.generation = db->generation;
	state.epoch = db->epoch;
	memcpy(state.lineage, db->lineage, sizeof state.lineage);
	lsv_state_store(db->dir, &state, db->file_mode);
}

void lsv_replicas_store(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	lsv_replicas_store_held(db);
}

/* ---- How it goes ---- */

void lsv_replicas_settle(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	uint64_t all = UINT64_MAX, answering = UINT64_MAX;
	uint64_t answered = atomic_load(&db->captured_ticket);
	int n_failing = 0, n_refused = 0;

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		const struct lsv_replica *replica = &db->replicas[i];
		bool is_failing = replica->n_failures || replica->is_broken;

		if (replica->ticket < all)
			all = replica->ticket;
		if (!is_failing && replica->ticket < answering)
			answering = replica->ticket;
		if (!replica->is_broken && replica->ticket < answered)
			answered = replica->ticket;
		n_failing += is_failing;
		n_refused += replica->is_refused;
	}
	atomic_store(&db->answering_ticket, answering);
	atomic_store(&db->n_failing, n_failing);
	atomic_store(&db->n_refused, n_refused);
	if (answered > atomic_load(&coord->answered_ticket))
		atomic_store(&coord->answered_ticket, answered);
	lsv_bell_shipped(coord, all);
}

/* Who waits may go, and end the process, when it is on record. */
static void store_and_settle(struct lsv_db *db)
{
	lsv_replicas_store(db);
	pthread_mutex_lock(&db->mutex);
	lsv_replicas_settle(db);
	pthread_mutex_unlock(&db->mutex);
}

void lsv_replica_succeeded(struct lsv_replica *replica, uint64_t ticket)
{
	struct lsv_db *db = replica->db;

	pthread_mutex_lock(&db->mutex);
	if (replica->failing_since_ns)
		log_info("%s: replica %s is reached again", db->path,
		         replica->config->url);
	replica->n_failures = 0;
	replica->failing_since_ns = 0;
	replica->retry_ns = 0;
	replica->is_refused = false;
	lsv_sentence_clear(&replica->error);
	replica->last_put_ns = lsv_clock_mono_ns();
	if (ticket > replica->ticket)
		replica->ticket = ticket;
	pthread_mutex_unlock(&db->mutex);
	store_and_settle(db);
}

/* 'min' doubled n times, at most 'max'. */
static int64_t doubled(int64_t min_ns, uint32_t n, int64_t max_ns)
{
	int64_t wait_ns = min_ns;

	for (uint32_t i = 0; i < n && wait_ns < max_ns; i++)
		wait_ns *= 2;
	return wait_ns < max_ns ? wait_ns : max_ns;
}

void lsv_replica_failed(struct lsv_replica *replica, int r, const char *why)
{
	struct lsv_db *db = replica->db;
	int64_t at_ns;

	pthread_mutex_lock(&db->mutex);
	lsv_sentence_set(&replica->error, "%s",
	                 *why              ? why
	                 : replica->client ? lsv_client_why(replica->client, r)
	                                   : strerror(-r));
	if (replica->n_failures == 0 && r == -EPERM)
		log_error(0, "cannot replicate %s: %s", db->path,
		          replica->error);
	else if (replica->n_failures == 0 && r != -ECANCELED)
		log_error(0,
		          "%s: cannot put to replica %s: %s; commits go on, "
		          "it will be tried again",
		          db->path, replica->config->url, replica->error);
	if (replica->n_failures == 0)
		replica->failing_since_ns = lsv_clock_ns();
	at_ns = lsv_clock_mono_ns() +
	        doubled(BACKOFF_MIN_NS, replica->n_failures, BACKOFF_MAX_NS);
	if (at_ns > replica->retry_ns) /* or longer, if it was given up */
		replica->retry_ns = at_ns;
	replica->n_failures++;
	replica->is_refused = r == -EPERM;
	pthread_mutex_unlock(&db->mutex);
	store_and_settle(db);
}

void lsv_replica_has_snapshot(struct lsv_replica *replica, uint32_t index,
                              const struct lsv_commit *base, uint32_t page_size)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&replica->db->mutex);

	replica->has_snapshot = true;
	replica->snapshot_index = index;
	replica->since_snapshot = 0;
	replica->snapshot_ns = lsv_clock_ns();
	replica->snapshot_bytes = (uint64_t)base->db_pages * page_size;
	replica->txid = base->txid;
	replica->time_ns = base->time_ns;
	replica->n_given_up = 0;
	replica->wants_retention = true;
}

void lsv_replica_give_up(struct lsv_replica *replica, uint64_t bytes)
{
	struct lsv_db *db = replica->db;

	log_error(0,
	          "%s: replica %s is behind, and %" PRIu64
	          " bytes are kept for it, more than max-local-bytes: it gets "
	          "nothing more until it answers and all replicas get a new "
	          "generation",
	          db->path, replica->config->url, bytes);
	pthread_mutex_lock(&db->mutex);
	replica->is_broken = true;
	replica->retry_ns = lsv_clock_mono_ns() + doubled(GIVEN_UP_MIN_NS,
	                                                  replica->n_given_up++,
	                                                  GIVEN_UP_MAX_NS);
	if (replica->failing_since_ns == 0)
		replica->failing_since_ns = lsv_clock_ns();
	if (!replica->error)
		lsv_sentence_set(&replica->error,
		                 "it is behind by more than max-local-bytes");
	lsv_replicas_settle(db);
	pthread_mutex_unlock(&db->mutex);
	lsv_replicas_store_held(db);
}

bool lsv_replica_wants(const struct lsv_replica *replica,
                       const struct lsv_pos *end)
{
	if (replica->shipped.generation != end->generation)
		return true;
	return !replica->is_broken &&
	       (!replica->has_snapshot || !replica->has_owner ||
	        lsv_pos_compare(&replica->shipped, end) < 0);
}

bool lsv_replica_wants_whole(const struct lsv_replica *replica,
                             const struct lsv_pos *end)
{
	return replica->shipped.generation == end->generation &&
	       replica->shipped.index < end->index && replica->has_snapshot &&
	       replica->has_owner && !replica->is_broken;
}

int64_t lsv_replica_due_ns(const struct lsv_replica *replica, bool now)
{
	int64_t at_ns = 0;

	if (!now && replica->last_put_ns)
		at_ns = replica->last_put_ns +
		        replica->config->sync_interval_ns;
	return at_ns > replica->retry_ns ? at_ns : replica->retry_ns;
}
