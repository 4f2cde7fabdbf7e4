/* SPDX-License-Identifier: MIT */
#include "vfs/copy.h"
#include "replica/spool/witness.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/wal/pagehash.h"
#include "vfs/lead.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define UNDECIDED_NS (100 * LSV_NS_PER_MS)
#define UNVERIFIED_MAX 50 /* looks, 2 ms apart */
#define SEGMENTS_PER_INDEX 100
#define BYTES_PER_INDEX (UINT64_C(64) << 20)

struct copy {
	struct lsv_db *db;
	const struct lsv_shm *live;
	bool is_final;         /* nobody can reset meanwhile */
	struct lsv_stand last; /* behind the last commit copied */
};

void lsv_copy_publish(struct lsv_db *db, const uint32_t salt[2], uint32_t frame)
{
	const struct lsv_record *end = lsv_shadow_end(db->wal);
	struct lsv_coord_page *coord = lsv_db_coord(db);

	lsv_coord_set_captured(coord,
	                       &(struct lsv_captured){
				       .salt = {salt[0], salt[1]},
				       .frame = frame,
				       .generation = db->generation,
				       .index = lsv_shadow_index(db->wal),
				       .offset = end->commit.end,
				       .txid = end->commit.txid,
				       .time_ns = end->commit.time_ns,
			       });
	atomic_store(&coord->advanced_ns, lsv_clock_mono_ns());
	atomic_fetch_add(&coord->done, 1);
	if (atomic_load(&coord->waiters))
		lsv_futex_wake(&coord->done, INT_MAX);
}

static int still(void *arg)
{
	struct copy *copy = arg;
	struct lsv_shm now;
	int r = copy->is_final ? 0 : lsv_db_live(copy->db, &now);

	if (r < 0 || copy->is_final)
		return r;
	return lsv_salt_equal(now.salt, copy->live->salt) ? 0 : -ESTALE;
}

/* Never before its predecessor, never too early for -timestamp. */
static int64_t commit_time(struct lsv_db *db)
{
	int64_t t = lsv_coord_time(lsv_db_coord(db), db->source.salt,
	                           db->source.at.real.frame);

	if (t == 0)
		t = lsv_clock_ns();
	if (t < db->captured_ns)
		t = db->captured_ns;
	return t;
}

static int commit(struct lsv_db *db, uint32_t db_pages)
{
	int64_t time_ns = commit_time(db);
	int r;

	lsv_pagemap_shrink(db->pages, db_pages);
	r = lsv_shadow_commit(db->wal, time_ns, lsv_pagemap_sum(db->pages),
	                      &db->source.at.real);
	if (r < 0)
		return r;
	lsv_pagemap_commit(db->pages);
	db->captured_ns = time_ns;
	return 0;
}

static int frame(void *arg, const struct lsv_frame *frame, const void *page)
{
	struct copy *copy = arg;
	struct lsv_db *db = copy->db;
	uint32_t page_size = db->source.page_size;
	int r = lsv_shadow_append(db->wal, frame->page_no, frame->db_pages,
	                          page);

	if (r == 0)
		r = lsv_pagemap_set(
			db->pages, frame->page_no,
			lsv_page_hash(frame->page_no, page, page_size));
	if (r == 0 && frame->db_pages)
		r = commit(db, frame->db_pages);
	if (r == 0 && frame->db_pages)
		copy->last = db->source.at;
	return r;
}

/* Who resets says so before it lets the gate go, so before the first frame.
 * Until then nothing is known; but not for long. */
static int undecided(struct lsv_db *db, const struct lsv_shm *live)
{
	int64_t now_ns = lsv_clock_mono_ns();

	if (db->undecided_ns == 0)
		db->undecided_ns = now_ns;
	if (live->mx_frame == 0 && now_ns - db->undecided_ns < UNDECIDED_NS)
		return -EAGAIN;
	db->undecided_ns = 0;
	return -ESTALE;
}

/* A reset that one of us witnessed: the end of the shadow is where the new
 * incarnation begins (gate.c and capture.c say so). */
static int follow_reset(struct lsv_db *db, const struct lsv_shm *live)
{
	bool is_new = false;
	int r;

	if (!lsv_witness_follows(lsv_db_coord(db), db->source.salt,
	                         db->source.at.real.frame, live, &is_new))
		return undecided(db, live);
	db->undecided_ns = 0;
	if (!is_new)
		return 0;
	r = lsv_source_begin(&db->source, db->wal_path, live);
	if (r == 0)
		lsv_copy_publish(db, live->salt, 0);
	return r;
}

/* An index ends at about 100 segments or 64 MiB (design.md section 6). */
static int rotate_if_due(struct lsv_db *db)
{
	const struct lsv_record *end = lsv_shadow_end(db->wal);
	struct lsv_shadow *next = NULL;
	int r;

	if (end->commit.end == 0 || (db->n_segments < SEGMENTS_PER_INDEX &&
	                             end->commit.end < BYTES_PER_INDEX))
		return 0;
	r = lsv_shadow_create(
		db->gen_dir, db->generation, lsv_shadow_index(db->wal) + 1,
		lsv_shadow_page_size(db->wal), end, db->file_mode, &next);
	if (r < 0)
		return r;
	lsv_shadow_close(db->wal);
	db->wal = next;
	db->n_segments = 0;
	lsv_copy_publish(db, db->source.salt, db->source.at.real.frame);
	return 0;
}

static int copy_to(struct lsv_db *db, const struct lsv_shm *live, bool is_final)
{
	struct copy copy = {db, live, is_final, db->source.at};
	uint32_t before = db->source.at.real.frame;
	uint32_t n_zero = db->source.n_zero;
	int r = lsv_source_read(&db->source, live->mx_frame, still, frame,
	                        &copy);

	if (r < 0) {
		/* What is behind the last commit will be read again. */
		lsv_shadow_rollback(db->wal);
		lsv_pagemap_rollback(db->pages);
		db->source.at = copy.last;
	}
	if (db->source.n_zero != n_zero && n_zero == 0)
		(void)log_warn(0,
		               "found frames without checksums in %s: a bug of "
		               "SQLite before 3.50.2; a crash would lose them",
		               db->wal_path);
	if (db->source.at.real.frame != before)
		lsv_copy_publish(db, live->salt, db->source.at.real.frame);
	return r < 0 ? r : rotate_if_due(db);
}

/* What does not verify may be late; what stays so is not. */
static bool may_be_late(struct lsv_db *db, int r)
{
	if (r != -EBADMSG)
		db->n_unverified = 0;
	else if (++db->n_unverified < UNVERIFIED_MAX)
		return true;
	return r == 0 || r == -EAGAIN || r == -ENODATA || r == -ENOMSG;
}

static int failed(struct lsv_db *db, int r)
{
	if (may_be_late(db, r))
		return r == -EBADMSG ? -EAGAIN : r;
	if (r == -ESTALE)
		lsv_lead_end(db, "its WAL was reset without us");
	else if (r == -EBADMSG)
		lsv_lead_end(db, "its WAL does not verify behind frame %u",
		             db->source.at.real.frame);
	else
		lsv_lead_end(db, "the shadow WAL in %s cannot be written: %s",
		             db->dir, strerror(-r));
	return r;
}

static int copy_commits(struct lsv_db *db, const struct lsv_shm *live,
                        uint64_t budget, bool is_final)
{
	int r = 0;

	if (!lsv_salt_equal(live->salt, db->source.salt))
		r = follow_reset(db, live);
	if (r < 0)
		return r;
	if (live->mx_frame < db->source.at.real.frame ||
	    (live->mx_frame > 0 && live->page_size > 0 &&
	     live->page_size != lsv_shadow_page_size(db->wal)))
		return -ESTALE;
	if (live->mx_frame == db->source.at.real.frame)
		return 0;
	if ((uint64_t)(live->mx_frame - db->source.at.real.frame) *
	            (live->page_size + LSV_FRAME_HEADER_SIZE) >
	    budget)
		return -EAGAIN;
	return copy_to(db, live, is_final);
}

int lsv_copy_commits(struct lsv_db *db, uint64_t budget)
{
	struct lsv_shm live;
	int r = lsv_db_live(db, &live);

	if (r < 0)
		return r;
	return failed(db, copy_commits(db, &live, budget, false));
}

int lsv_copy_commits_to(struct lsv_db *db, const struct lsv_shm *head)
{
	return failed(db, copy_commits(db, head, UINT64_MAX, true));
}
