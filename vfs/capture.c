/* SPDX-License-Identifier: MIT */
#include "vfs/capture.h"

#include "replica/base/bytes.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/spool/witness.h"
#include "vfs/bell.h"
#include "vfs/gate.h"
#include "vfs/lead.h"

#include <errno.h>
#include <string.h>

static void see(struct lsv_file *main, const struct lsv_shm *live)
{
	memcpy(main->seen_salt, live->salt, sizeof main->seen_salt);
	main->seen_frame = live->mx_frame;
}

static bool is_seen(const struct lsv_file *main, const struct lsv_shm *live)
{
	return main->seen_frame == live->mx_frame &&
	       lsv_salt_equal(main->seen_salt, live->salt);
}

void lsv_capture_begin(struct lsv_file *main)
{
	struct lsv_shm live;

	main->has_write = true;
	if (!main->shm || lsv_shm_read(main->shm, &live) < 0)
		return;
	see(main, &live);
	if (main->wal && main->wal->gathers)
		lsv_coalesce_begin(&main->wal->held, live.page_size,
		                   live.mx_frame);
}

/* One commit more: of this process, with 'live' as the head after it. */
static void stamp(struct lsv_file *main, const struct lsv_shm *live)
{
	struct lsv_db *db = main->db;

	see(main, live);
	main->caught_up = false;
	if (live->mx_frame == 0 || !lsv_db_activate(db))
		return;
	lsv_coord_stamp(lsv_db_coord(db), live, lsv_clock_ns());
	atomic_fetch_add_explicit(&db->dirty, 1, memory_order_relaxed);
	if (db->config.durability == LSV_DURABILITY_REPLICA && !main->is_ours)
		main->ticket = lsv_bell_ticket(db);
	lsv_bell_poke(db);
}

void lsv_capture_end(struct lsv_file *main)
{
	struct lsv_shm live;

	main->has_write = false;
	if (main->wal)
		lsv_coalesce_end(&main->wal->held);
	if (main->shm && lsv_shm_read(main->shm, &live) == 0 &&
	    !is_seen(main, &live))
		stamp(main, &live);
}

static int wait_for_replica(struct lsv_file *main)
{
	struct lsv_db *db = main->db;
	int64_t timeout_ns = db->config.durability_timeout_ns;
	uint64_t ticket = main->ticket;

	bool degrades = db->config.on_timeout == LSV_TIMEOUT_DEGRADE;
	int r;

	atomic_fetch_add(&db->n_waiting, 1);
	r = lsv_bell_wait(db, ticket, timeout_ns ? timeout_ns : -1, false);
	atomic_fetch_sub(&db->n_waiting, 1);
	if (r == 0) {
		atomic_store(&db->waits_in_vain, 0);
		return SQLITE_OK;
	}
	if (!atomic_exchange(&db->waits_in_vain, 1))
		log_error(0,
		          "%s: committed locally, not yet on the replica; %s "
		          "until it answers",
		          db->path,
		          degrades ? "commits do not wait for it"
		                   : "each commit says so");
	return degrades ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int lsv_capture_phase_two(struct lsv_file *main)
{
	lsv_capture_finalise(main);
	return main->ticket ? wait_for_replica(main) : SQLITE_OK;
}

static void finalise_heap(struct lsv_file *main)
{
	struct lsv_shm live = {
		.page_size = main->heap_page_size,
		.mx_frame = main->heap_candidate,
		.salt = {main->heap_salt[0], main->heap_salt[1]},
	};

	if (main->heap_candidate == main->heap_commit)
		return;
	pthread_mutex_lock(&main->db->mutex);
	main->heap_commit = main->heap_candidate;
	pthread_mutex_unlock(&main->db->mutex);
	stamp(main, &live);
}

/* What was set to EXCLUSIVE later still writes the shm, but asks for no lock
 * of it. */
void lsv_capture_finalise(struct lsv_file *main)
{
	struct lsv_shm live;

	if (main->is_heap)
		finalise_heap(main);
	else if (main->is_exclusive && main->shm &&
	         lsv_shm_read(main->shm, &live) == 0 && live.mx_frame > 0 &&
	         !is_seen(main, &live))
		stamp(main, &live);
}

/* The incarnation (from, frame) ends here, without a gate: what of it is
 * missing is copied now. */
static void catch_up(struct lsv_file *main, const struct lsv_shm *last,
                     const uint32_t to[2])
{
	if (last->mx_frame > 0 && lsv_lead_settle_at(main->db, last) < 0)
		return; /* not witnessed: the generation ends by itself */
	if (!lsv_db_activate(main->db))
		return;
	lsv_witness_reset(lsv_db_coord(main->db), last->salt, last->mx_frame,
	                  to);
	if (last->mx_frame > 0 && !atomic_exchange(&main->db->saw_db_sync, 0))
		atomic_fetch_add(&lsv_db_coord(main->db)->unsynced_resets, 1);
}

static void new_header(struct lsv_file *main, const uint8_t *bytes)
{
	const uint32_t to[2] = {get_be32(bytes + 16), get_be32(bytes + 20)};
	struct lsv_shm last = {.page_size = get_be32(bytes + 8)};
	struct lsv_shm live;

	if (main->is_heap) {
		last.mx_frame = main->heap_commit;
		memcpy(last.salt, main->heap_salt, sizeof last.salt);
	} else {
		last.mx_frame = main->seen_frame;
		memcpy(last.salt, main->seen_salt, sizeof last.salt);
	}
	/* The gate (or the header before this one, in exclusive mode) saw a
	 * reset through; here it is the salts of an empty WAL that change with
	 * its first frame. */
	if (main->shm && lsv_shm_read(main->shm, &live) == 0 &&
	    live.mx_frame == 0 && (!main->is_exclusive || last.mx_frame == 0)) {
		if (lsv_db_activate(main->db))
			lsv_witness_reset(lsv_db_coord(main->db), live.salt, 0,
			                  to);
	} else {
		catch_up(main, &last, to);
	}
	pthread_mutex_lock(&main->db->mutex);
	memcpy(main->heap_salt, to, sizeof main->heap_salt);
	main->heap_page_size = last.page_size;
	main->heap_candidate = main->heap_commit = 0;
	pthread_mutex_unlock(&main->db->mutex);
	memcpy(main->seen_salt, to, sizeof main->seen_salt);
	main->seen_frame = 0;
}

/* An exclusive connection takes no lock that would keep it from the database
 * file while ours read it: they are sent out. */
bool lsv_capture_exclude(struct lsv_file *main)
{
	if (main->is_excluding || !main->is_exclusive || main->is_ours)
		return false;
	main->is_excluding = true;
	lsv_db_exclude(main->db);
	return true;
}

void lsv_capture_readmit(struct lsv_file *main)
{
	if (!main->is_excluding)
		return;
	main->is_excluding = false;
	lsv_db_readmit(main->db);
}

void lsv_capture_checkpoint_begins(struct lsv_file *main)
{
	main->in_checkpoint = true;
	if (main->is_ours)
		return;
	lsv_capture_exclude(main);
	atomic_store(&main->db->saw_db_sync, 0);
	lsv_capture_finalise(main);
	lsv_gate_checkpoint(main);
}

void lsv_capture_checkpoint_ends(struct lsv_file *main)
{
	main->in_checkpoint = false;
	lsv_capture_readmit(main);
}

/* The number of the frame whose header lies at 'at'; 0: none does. */
static uint32_t heap_frame_at(const struct lsv_file *main, sqlite3_int64 at)
{
	uint64_t size = LSV_FRAME_HEADER_SIZE + main->heap_page_size;
	uint64_t behind = (uint64_t)at - LSV_WAL_HEADER_SIZE;

	return behind % size == 0 ? (uint32_t)(behind / size) + 1 : 0;
}

/* The first frame of a connection whose shm is heap memory, behind those of a
 * WAL that it found and recovered: all of them are committed. */
static void begin_heap(struct lsv_file *wal, sqlite3_int64 at)
{
	struct lsv_file *main = wal->main;
	sqlite3_file *lower = lsv_lower(wal);
	auto_unlock pthread_mutex_t *held = NULL;
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;
	uint32_t frame;

	if (lower->pMethods->xRead(lower, bytes, sizeof bytes, 0) !=
	            SQLITE_OK ||
	    lsv_wal_header_decode(bytes, &header) < 0)
		return;
	held = lsv_lock(&main->db->mutex);
	main->heap_page_size = header.page_size;
	frame = heap_frame_at(main, at);
	if (frame == 0)
		return;
	main->is_heap = true;
	memcpy(main->heap_salt, header.salt, sizeof main->heap_salt);
	main->heap_candidate = main->heap_commit = frame - 1;
}

/* A frame header of the heap mode: a candidate when it commits. */
static void heap_frame(struct lsv_file *main, const uint8_t *bytes,
                       sqlite3_int64 at)
{
	uint32_t frame = heap_frame_at(main, at);

	if (frame == 0)
		return;
	/* A frame beyond the candidate: what the candidate ends is final. */
	if (main->heap_candidate && frame > main->heap_candidate)
		lsv_capture_finalise(main);
	if (get_be32(bytes + 4))
		main->heap_candidate = frame;
}

void lsv_capture_wal_write(struct lsv_file *wal, const void *buf, int n,
                           sqlite3_int64 at)
{
	struct lsv_file *main = wal->main;

	if (!main || main->is_ours)
		return;
	if (at == 0 && n == LSV_WAL_HEADER_SIZE) {
		if (!main->shm && !main->is_heap) {
			pthread_mutex_lock(&main->db->mutex);
			main->is_heap = true;
			pthread_mutex_unlock(&main->db->mutex);
		}
		new_header(main, buf);
	} else if (!main->shm && n == LSV_FRAME_HEADER_SIZE) {
		if (!main->is_heap)
			begin_heap(wal, at);
		if (main->is_heap)
			heap_frame(main, buf, at);
	}
}

/* TRUNCATE of an exclusive connection: the head has new salts already, the
 * frames of the old ones are still there. */
void lsv_capture_wal_truncate(struct lsv_file *wal)
{
	struct lsv_file *main = wal->main;
	struct lsv_shm last = {0}, live;

	if (!main || main->is_ours || main->in_gate)
		return;
	if (main->is_heap) {
		last.page_size = main->heap_page_size;
		last.mx_frame = main->heap_commit;
		memcpy(last.salt, main->heap_salt, sizeof last.salt);
		if (last.mx_frame > 0)
			lsv_lead_settle_at(main->db, &last);
		return;
	}
	last.mx_frame = main->seen_frame;
	memcpy(last.salt, main->seen_salt, sizeof last.salt);
	if (!main->shm || lsv_shm_read(main->shm, &live) < 0 ||
	    live.mx_frame > 0 || lsv_salt_equal(live.salt, last.salt))
		return;
	last.page_size = live.page_size;
	catch_up(main, &last, live.salt);
	see(main, &live);
}
