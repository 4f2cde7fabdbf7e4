/* SPDX-License-Identifier: MIT */
#include "vfs/lead.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/spool/folder.h"
#include "replica/spool/leader.h"
#include "replica/spool/recover.h"
#include "replica/wal/pagehash.h"
#include "vfs/continuity.h"
#include "vfs/copy.h"
#include "vfs/sentence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

static void forget_shadow(struct lsv_db *db)
{
	lsv_shadow_close(take(db->wal));
	lsv_pagemap_close(take(db->pages));
	lsv_source_close(&db->source);
	db->is_begun = false;
}

static void forget_lock(struct lsv_db *db)
{
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	db->lock_fd = -1;
	free(take(db->gen_dir));
	db->generation = 0;
}

void lsv_lead_forget(struct lsv_db *db)
{
	forget_shadow(db);
	forget_lock(db);
	db->has_state = false;
	db->claim_since_ns = 0;
	atomic_store(&db->role, LSV_FOLLOWING);
}

bool lsv_lead_holds(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	if (atomic_load(&db->role) < LSV_ADRIFT)
		return false;
	if (lsv_leader_lock(db->lock_fd) &&
	    atomic_load(&coord->epoch) == db->epoch)
		return true;
	forget_shadow(db);
	forget_lock(db);
	atomic_store(&db->role, LSV_FOLLOWING);
	return false;
}

void lsv_lead_drop(struct lsv_db *db)
{
	if (!lsv_lead_holds(db))
		return;
	if (db->pages && db->wal)
		lsv_pagemap_mark(db->pages, lsv_shadow_index(db->wal),
		                 lsv_shadow_end(db->wal)->commit.end);
	forget_shadow(db);
	atomic_store(&lsv_db_coord(db)->leader_pid, 0);
	lsv_leader_unlock(db->lock_fd);
	forget_lock(db);
	atomic_store(&db->role, LSV_FOLLOWING);
}

/* That something was captured, and until when, stays known to all. */
static void set_uncaptured(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	struct lsv_captured last;

	if (!lsv_coord_captured(coord, &last))
		last = (struct lsv_captured){.time_ns = lsv_clock_ns()};
	else if (last.generation != 0)
		db->ended = last;
	lsv_coord_set_captured(coord,
	                       &(struct lsv_captured){.time_ns = last.time_ns});
}

void lsv_lead_end(struct lsv_db *db, const char *format, ...)
{
	char reason[LSV_SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	lsv_sentence_set(&db->reason, "%s", reason);
	log_warn(0, "%s: generation %016llx ends: %s", db->path,
	         (unsigned long long)db->generation, db->reason);
	set_uncaptured(db);
	db->is_begun = false;
	atomic_store(&db->begin_due_ns, 0);
	atomic_store(&db->role, LSV_ADRIFT);
}

void lsv_lead_detach(struct lsv_db *db)
{
	if (atomic_load(&db->role) == LSV_LIVE)
		atomic_store(&db->role, LSV_ADRIFT);
	lsv_source_close(&db->source);
}

void lsv_lead_clear(struct lsv_db *db)
{
	int r;

	forget_shadow(db);
	r = lsv_folder_discard(db->gen_dir);
	if (r < 0)
		(void)log_error(r, "%s: cannot remove what is kept in %s",
		                db->path, db->gen_dir);
}

/* From here on it is we who count in the shared page: of several that find the
 * same epoch one raises it.  It may stand still then, so it has laid beside it
 * what it makes current, and who raises the epoch next takes that away. */
static int raise_epoch(struct lsv_db *db, uint64_t from, uint64_t generation)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);

	if (!atomic_compare_exchange_strong(&coord->epoch, &from, from + 1))
		return -EAGAIN;
	atomic_store(&coord->leader_pid, (uint32_t)getpid());
	atomic_store(&coord->advanced_ns, lsv_clock_mono_ns());
	atomic_store(&coord->sleeps, LSV_LEADER_AWAKE);
	db->epoch = from + 1;
	return lsv_folder_withdraw_others(db->dir, generation);
}

static void take_over(struct lsv_db *db)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	uint8_t boot[LSV_BOOT_ID_SIZE];

	lsv_boot_id(boot);
	db->is_new_boot = memcmp(coord->leader_boot, boot, sizeof boot) != 0;
	if (db->is_new_boot) {
		/* What it says of SQLite's files was true in another boot. */
		set_uncaptured(db);
		memcpy(coord->leader_boot, boot, sizeof boot);
	}
}

static int open_lock(struct lsv_db *db, uint64_t generation)
{
	int r;

	if (db->generation == generation && db->lock_fd >= 0)
		return 0;
	forget_lock(db);
	db->gen_dir = lsv_folder_generation_dir(db->dir, generation);
	if (!db->gen_dir)
		return -ENOMEM;
	r = lsv_leader_open(db->gen_dir, db->file_mode, &db->lock_fd);
	if (r < 0) {
		db->lock_fd = -1;
		return r;
	}
	db->generation = generation;
	return 0;
}

bool lsv_lead_is_led(struct lsv_db *db)
{
	uint64_t generation;

	return atomic_load(&db->role) < LSV_ADRIFT &&
	       lsv_folder_generation(db->dir, &generation) == 0 &&
	       open_lock(db, generation) == 0 &&
	       lsv_leader_is_locked(db->lock_fd);
}

/* -EAGAIN: the epoch is not 'epoch' any more, or was raised meanwhile. */
static int switch_from(struct lsv_db *db, uint64_t epoch, uint64_t generation)
{
	int r;

	forget_shadow(db);
	r = open_lock(db, generation);
	if (r < 0)
		return r;
	if (!lsv_leader_lock(db->lock_fd))
		return -EAGAIN;
	r = lsv_folder_propose(db->dir, generation, db->file_mode);
	if (r == 0)
		r = raise_epoch(db, epoch, generation);
	if (r == 0)
		r = lsv_folder_set_generation(db->dir, generation);
	if (r < 0) {
		lsv_folder_withdraw(db->dir, generation);
		return r;
	}
	take_over(db);
	atomic_store(&db->role, LSV_ADRIFT);
	return 0;
}

int lsv_lead_switch(struct lsv_db *db, uint64_t generation)
{
	return switch_from(db, db->epoch, generation);
}

static int load_state(struct lsv_db *db)
{
	/* Not kept: there may be thousands of databases. */
	auto_free struct lsv_state *state = calloc(1, sizeof *state);
	int r;

	if (!state)
		return -ENOMEM;
	r = lsv_state_load(db->dir, state);
	if (r < 0)
		lsv_random(state->lineage, sizeof state->lineage);
	state->generation = db->generation;
	memcpy(db->lineage, state->lineage, sizeof db->lineage);
	db->tuple = state->tuple;
	db->has_state = true;
	/*
	 * What is spooled from now on carries the lineage: whoever leads after
	 * us must know it, also when we die before our first put.
	 */
	if (r == -ENOENT || r == -EBADMSG)
		lsv_state_store(db->dir, state, db->file_mode);
	lsv_replicas_load(db, state);
	return 0;
}

static int load_pages(struct lsv_db *db)
{
	const struct lsv_record *end = lsv_shadow_end(db->wal);
	int r = lsv_pagemap_open(db->dir, lsv_shadow_page_size(db->wal),
	                         db->file_mode, &db->pages);

	if (r < 0)
		return r;
	return lsv_recover_pagemap(db->gen_dir, db->generation, db->pages, end,
	                           lsv_shadow_index(db->wal));
}

/* A power loss takes any part of what was not synced, not only the tail. */
static int verify_after_boot(struct lsv_db *db)
{
	uint64_t shipped;
	uint32_t n_segments;
	bool cut;

	if (!db->is_new_boot)
		return 0;
	lsv_replicas_in(db, lsv_shadow_index(db->wal), &shipped, &n_segments);
	return lsv_shadow_verify(db->wal, shipped, &cut);
}

static int open_newest(struct lsv_db *db)
{
	struct lsv_indexes indexes = {0};
	int r = lsv_folder_indexes(db->gen_dir, &indexes);

	if (r == 0 && indexes.n == 0)
		r = -ENOENT;
	if (r == 0)
		r = lsv_shadow_open(db->gen_dir, db->generation,
		                    indexes.at[indexes.n - 1], &db->wal);
	free(indexes.at);
	return r < 0 ? r : verify_after_boot(db);
}

/* The last index whose snapshot is here; 0: that of the beginning, or all are
 * where they belong. */
static uint32_t newest_snapshot(struct lsv_db *db)
{
	const struct lsv_upload upload = {.gen_dir = db->gen_dir,
	                                  .generation = db->generation,
	                                  .codec = db->config.compression};
	struct lsv_indexes indexes = {0};
	uint32_t newest = 0;

	if (lsv_folder_indexes(db->gen_dir, &indexes) < 0)
		return 0;
	for (size_t i = 0; i < indexes.n; i++)
		if (lsv_upload_has_spooled(&upload, indexes.at[i]))
			newest = indexes.at[i];
	free(indexes.at);
	return newest;
}

static void load_shadow(struct lsv_db *db)
{
	uint64_t shipped;
	int r = open_newest(db);

	if (r == 0)
		r = load_pages(db);
	db->is_map_lost = db->pages && r == -EBADMSG;
	if (db->is_map_lost) {
		lsv_sentence_set(&db->reason,
		                 "its page hashes do not fit its shadow WAL");
	} else if (r < 0) {
		if (r == -ENOENT)
			lsv_sentence_set(&db->reason, "it has no snapshot yet");
		else
			lsv_sentence_set(&db->reason,
			                 "its shadow WAL cannot be read: %s",
			                 strerror(-r));
		return;
	}
	db->captured_ns = lsv_shadow_end(db->wal)->commit.time_ns;
	lsv_replicas_in(db, lsv_shadow_index(db->wal), &shipped,
	                &db->n_segments);
	db->snapshot_index = newest_snapshot(db);
	db->is_begun = true;
	if (!db->is_map_lost)
		lsv_sentence_clear(&db->reason);
}

/* Another process was faster: this one never was the current one. */
static void drop_claimed(struct lsv_db *db, uint64_t generation)
{
	auto_free char *path = lsv_folder_generation_dir(db->dir, generation);

	forget_lock(db);
	if (path && lsv_folder_remove_generation(path) < 0)
		log_debug("%s: cannot remove %s", db->path, path);
}

static int claim(struct lsv_db *db, uint64_t epoch)
{
	uint64_t generation;
	int r = lsv_folder_new_generation(db->dir, db->file_mode, &generation);

	if (r < 0)
		return r;
	r = switch_from(db, epoch, generation);
	if (r == -EAGAIN)
		drop_claimed(db, generation);
	if (r == 0 && !lsv_lead_holds(db))
		r = -EAGAIN;
	if (r == 0)
		r = load_state(db);
	if (r < 0)
		return r;
	lsv_sentence_set(&db->reason, "it has no snapshot yet");
	return 0;
}

/* Another process is at it, and for so long that it must stand still.  One that
 * was at it long ago is not this one: who waits asks again before that. */
static bool waits_in_vain(struct lsv_db *db)
{
	uint64_t epoch = atomic_load(&lsv_db_coord(db)->epoch);
	int64_t now_ns = lsv_clock_mono_ns();

	if (db->claim_since_ns == 0 || db->claim_epoch != epoch ||
	    now_ns - db->claim_seen_ns >
	            4 * (LSV_STUCK_NS + db->config.sync_interval_ns)) {
		db->claim_since_ns = now_ns;
		db->claim_epoch = epoch;
	}
	db->claim_seen_ns = now_ns;
	return now_ns - db->claim_since_ns >= LSV_STUCK_NS;
}

/* Of several processes that find at the same time that a new generation is
 * needed, one makes it; who comes next finds no cause any more.  A child of a
 * fork may have inherited the descriptor, so it is not the close that lets go;
 * on a file system that knows no such lock, and where the one that has it
 * stands still, the last one prevails. */
static int claim_alone(struct lsv_db *db, bool (*has_cause)(struct lsv_db *db))
{
	auto_close int fd = lsv_open(db->dir, O_RDONLY | O_DIRECTORY, 0);
	uint64_t epoch = atomic_load(&lsv_db_coord(db)->epoch);
	int r;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK &&
	    !waits_in_vain(db))
		return -EAGAIN;
	db->claim_since_ns = 0;
	r = has_cause(db) ? claim(db, epoch) : -EAGAIN;
	flock(fd, LOCK_UN);
	return r;
}

static bool has_none(struct lsv_db *db)
{
	uint64_t generation;

	return lsv_folder_generation(db->dir, &generation) < 0;
}

static bool is_stuck(struct lsv_db *db)
{
	return lsv_clock_mono_ns() -
	               atomic_load(&lsv_db_coord(db)->advanced_ns) >=
	       LSV_STUCK_NS;
}

int lsv_lead_usurp(struct lsv_db *db)
{
	uint32_t pid = atomic_load(&lsv_db_coord(db)->leader_pid);
	int r = claim_alone(db, is_stuck);

	if (r < 0)
		return r;
	set_uncaptured(db);
	lsv_sentence_set(&db->reason,
	                 "its leader, process %u, did not go on for 5 s", pid);
	log_warn(0, "%s: a new generation: %s", db->path, db->reason);
	return 0;
}

int lsv_lead_take(struct lsv_db *db)
{
	uint64_t epoch = atomic_load(&lsv_db_coord(db)->epoch);
	uint64_t generation, again;
	int r = lsv_folder_generation(db->dir, &generation);

	if (r == -ENOENT || r == -EINVAL)
		return claim_alone(db, has_none);
	if (r == 0)
		r = open_lock(db, generation);
	if (r < 0)
		return r;
	if (!lsv_leader_lock(db->lock_fd))
		return -EAGAIN;
	r = raise_epoch(db, epoch, generation);
	/* Nobody replaces it any more. */
	if (r == 0 &&
	    (lsv_folder_generation(db->dir, &again) < 0 || again != generation))
		r = -EAGAIN;
	if (r == 0) {
		forget_shadow(db);
		take_over(db);
		r = load_state(db);
	}
	if (r < 0) {
		lsv_leader_unlock(db->lock_fd);
		return r;
	}
	load_shadow(db);
	atomic_store(&db->role, LSV_ADRIFT);
	return 0;
}

/* An exclusive connection makes the WAL before it writes to it, and writes to
 * it before it commits. */
static bool is_before_first(struct lsv_db *db)
{
	struct lsv_shm live;

	return lsv_db_live(db, &live) == -ENOMSG && db->is_begun &&
	       lsv_continuity_is_untouched(db);
}

bool lsv_lead_is_at_rest(struct lsv_db *db)
{
	struct stat st;

	return is_before_first(db) ||
	       (db->is_begun && lsv_continuity_is_untouched(db) &&
	        (stat(db->wal_path, &st) < 0 || st.st_size == 0));
}

int lsv_lead_attach(struct lsv_db *db)
{
	struct lsv_shm live;
	int r = lsv_db_live(db, &live);

	if (r < 0)
		return -EAGAIN;
	if (!db->is_begun)
		return -ESTALE;
	if (live.mx_frame > 0 &&
	    live.page_size != lsv_shadow_page_size(db->wal)) {
		lsv_sentence_set(&db->reason, "its page size changed");
		return -ESTALE;
	}
	if (!lsv_continuity_of_wal(db, &live) &&
	    !lsv_continuity_of_file(db, &live)) {
		lsv_sentence_set(
			&db->reason,
			"it was written to or checkpointed without us");
		lsv_source_close(&db->source);
		return -ESTALE;
	}
	if (db->is_map_lost) {
		lsv_source_close(&db->source);
		return -ESTALE;
	}
	lsv_sentence_clear(&db->reason);
	atomic_store(&db->role, LSV_LIVE);
	lsv_copy_publish(db, live.salt, db->source.at.real.frame);
	return 0;
}

static int settle(struct lsv_db *db, uint64_t budget,
                  const struct lsv_shm *head)
{
	int r = 0;

	if (atomic_load(&db->role) == LSV_FOLLOWING)
		r = lsv_lead_take(db);
	if (r < 0)
		return r;
	if (!lsv_lead_holds(db))
		return -EAGAIN;
	if (atomic_load(&db->role) == LSV_ADRIFT) {
		r = db->reason ? -ESTALE : lsv_lead_attach(db);
		if (r == -EAGAIN && is_before_first(db))
			return 0;
		if (r < 0)
			return r == -ESTALE ? -ENODATA : r;
	}
	r = head ? lsv_copy_commits_to(db, head) : lsv_copy_commits(db, budget);
	return r < 0 && r != -EAGAIN ? -ENODATA : r;
}

int lsv_lead_settle_at(struct lsv_db *db, const struct lsv_shm *head)
{
	auto_unlock pthread_mutex_t *held = NULL;

	if (!lsv_db_activate(db))
		return -ENODATA;
	held = lsv_lock(&db->shadow);
	return settle(db, UINT64_MAX, head);
}

int lsv_lead_settle(struct lsv_db *db, uint64_t budget)
{
	struct timespec soon;
	int r;

	if (!lsv_db_activate(db))
		return -ENODATA;
	if (budget == UINT64_MAX) {
		pthread_mutex_lock(&db->shadow);
	} else {
		int64_t until = lsv_clock_ns() + LSV_NS_PER_MS;

		soon.tv_sec = until / LSV_NS_PER_S;
		soon.tv_nsec = until % LSV_NS_PER_S;
		if (pthread_mutex_timedlock(&db->shadow, &soon) != 0)
			return -EAGAIN;
	}
	r = settle(db, budget, NULL);
	pthread_mutex_unlock(&db->shadow);
	return r;
}
