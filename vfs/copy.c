/* SPDX-License-Identifier: MIT */
#include "vfs/copy.h"
#include "replica/spool/witness.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "replica/wal/pagehash.h"
#include "vfs/guard.h"
#include "vfs/lead.h"
#include "vfs/rotate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define UNDECIDED_NS (500 * LSV_NS_PER_MS)
#define UNVERIFIED_MAX 50 /* looks, 2 ms apart */

/* Commits are written in bursts of about so much. */
#define BURST_SIZE ((size_t)1 << 19)
/* Pages of a transaction that are remembered before it commits. */
#define KEPT_MAX 1024

struct kept {
	uint32_t page_no;
	uint64_t hash;
};
LSV_VECTOR(kept_pages, struct kept);

/*
 * The shadow, the page map and the shared page go forward together, a burst of
 * commits at a time: whatever happens, what is told is on disk and the map has
 * no more than that.  So the map may only be given whole commits, while a
 * burst is open; a transaction too large to be remembered closes it first.
 */
struct copy {
	struct lsv_db *db;
	const struct lsv_shm *live;
	bool is_final;            /* nobody can reset meanwhile */
	struct lsv_stand written; /* behind the last commit that is written */
	struct lsv_stand last;    /* behind the last commit copied */
	struct kept_pages kept;   /* of the transaction */
	bool is_open;             /* the map has a part of the transaction */
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

/* Else what was read may have been overwritten.  How it was reset is looked at
 * next time: an exclusive connection has no gate, and waits for us only after
 * its new salts can be seen. */
static int still(void *arg)
{
	struct copy *copy = arg;
	struct lsv_shm now;
	int r = copy->is_final ? 0 : lsv_db_live(copy->db, &now);

	if (r < 0 || copy->is_final)
		return r;
	return lsv_salt_equal(now.salt, copy->live->salt) ? 0 : -EAGAIN;
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

/* What cannot be written was not copied. */
static void drop_burst(struct copy *copy)
{
	lsv_shadow_drop(copy->db->wal);
	lsv_pagemap_rollback(copy->db->pages);
	copy->last = copy->written;
}

static int write_burst(struct copy *copy)
{
	struct lsv_db *db = copy->db;
	int r;

	if (copy->last.real.frame == copy->written.real.frame)
		return 0;
	r = lsv_shadow_write(db->wal);
	if (r < 0) {
		drop_burst(copy);
		return r;
	}
	lsv_pagemap_commit(db->pages);
	copy->written = copy->last;
	lsv_copy_publish(db, copy->live->salt, copy->last.real.frame);
	return 0;
}

/* The transaction's pages remembered, into the map. */
static int hand_kept(struct copy *copy)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < copy->kept.n; i++)
		r = lsv_pagemap_set(copy->db->pages, copy->kept.at[i].page_no,
		                    copy->kept.at[i].hash);
	copy->kept.n = 0;
	return r;
}

static int keep(struct copy *copy, uint32_t page_no, uint64_t hash)
{
	int r = 0;

	if (copy->kept.n == KEPT_MAX) {
		if (!copy->is_open)
			r = write_burst(copy);
		if (r == 0)
			r = hand_kept(copy);
		copy->is_open = true;
	}
	return r < 0 ? r
	             : kept_pages_append(&copy->kept,
	                                 (struct kept){page_no, hash});
}

static int commit(struct copy *copy, uint32_t db_pages)
{
	struct lsv_db *db = copy->db;
	int64_t time_ns = commit_time(db);
	int r = hand_kept(copy);

	if (r < 0) {
		/* Some of it is in the map. */
		drop_burst(copy);
		return r;
	}
	lsv_pagemap_shrink(db->pages, db_pages);
	r = lsv_shadow_commit(db->wal, time_ns, lsv_pagemap_sum(db->pages),
	                      &db->source.at.real);
	if (r < 0)
		return r;
	db->captured_ns = time_ns;
	copy->last = db->source.at;
	copy->is_open = false;
	return lsv_shadow_unwritten(db->wal) < BURST_SIZE ? 0
	                                                  : write_burst(copy);
}

static int frame(void *arg, const struct lsv_frame *frame, const void *page)
{
	struct copy *copy = arg;
	struct lsv_db *db = copy->db;
	uint32_t page_size = db->source.page_size;
	int r = lsv_shadow_append(db->wal, frame->page_no, frame->db_pages,
	                          page);

	if (r == 0)
		r = keep(copy, frame->page_no,
		         lsv_page_hash(frame->page_no, page, page_size));
	if (r == 0 && frame->db_pages)
		r = commit(copy, frame->db_pages);
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

/* The guard vouches that 'live' followed an empty WAL, and the source stands
 * there, or before the reset that made it empty.  That is witnessed for others,
 * too, but for the salts of no WAL, which identify nothing. */
static bool is_first_frame(struct lsv_db *db, const struct lsv_shm *live)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	struct lsv_shm empty;
	bool is_new = false;

	if (!lsv_guard_vouches(db, live, &empty))
		return false;
	if ((db->source.at.real.frame > 0 ||
	     !lsv_salt_equal(db->source.salt, empty.salt)) &&
	    !lsv_witness_follows(coord, db->source.salt,
	                         db->source.at.real.frame, &empty, &is_new))
		return false;
	if (empty.salt[0] | empty.salt[1])
		lsv_witness_reset(coord, empty.salt, 0, live->salt);
	return true;
}

/* A reset that one of us witnessed: the end of the shadow is where the new
 * incarnation begins (gate.c and capture.c say so). */
static int follow_reset(struct lsv_db *db, const struct lsv_shm *live)
{
	bool is_new = is_first_frame(db, live);
	int r;

	if (!is_new &&
	    !lsv_witness_follows(lsv_db_coord(db), db->source.salt,
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

/* What is behind the last commit will be read again. */
static void give_back(struct copy *copy)
{
	lsv_shadow_rollback(copy->db->wal);
	if (copy->is_open)
		lsv_pagemap_rollback(copy->db->pages);
	copy->db->source.at = copy->last;
}

static int copy_to(struct lsv_db *db, const struct lsv_shm *live, bool is_final)
{
	struct copy copy = {.db = db,
	                    .live = live,
	                    .is_final = is_final,
	                    .written = db->source.at,
	                    .last = db->source.at};
	uint32_t n_zero = db->source.n_zero;
	int r = lsv_source_read(&db->source, live->mx_frame, still, frame,
	                        &copy);
	int write_r;

	if (r < 0)
		give_back(&copy);
	write_r = write_burst(&copy);
	if (write_r < 0)
		db->source.at = copy.last;
	free(copy.kept.at);
	if (db->source.n_zero != n_zero && n_zero == 0)
		(void)log_warn(0,
		               "found frames without checksums in %s: a bug of "
		               "SQLite before 3.50.2; a crash would lose them",
		               db->wal_path);
	if (write_r < 0)
		return write_r;
	return r < 0 ? r : lsv_rotate_if_due(db);
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
	else
		db->undecided_ns = 0; /* it was taken back */
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
	/* The WAL was empty where we came to stand: there was nothing to open,
	 * and what comes now need not follow a reset. */
	if (db->source.fd < 0 && db->source.at.real.frame == 0)
		r = lsv_source_begin(&db->source, db->wal_path, live);
	return r < 0 ? r : copy_to(db, live, is_final);
}

/* An exclusive connection began its WAL anew and has not committed yet: what
 * was before is complete when it said so. */
static int stand_before_first(struct lsv_db *db, const struct lsv_shm *live)
{
	bool is_new;

	if (!lsv_witness_follows(lsv_db_coord(db), db->source.salt,
	                         db->source.at.real.frame, live, &is_new))
		return undecided(db, live);
	db->undecided_ns = 0;
	return 0;
}

int lsv_copy_commits(struct lsv_db *db, uint64_t budget)
{
	struct lsv_shm live;
	int r = lsv_db_live(db, &live);

	if (r == -ENOMSG)
		return failed(db, stand_before_first(db, &live));
	if (r < 0)
		return r;
	return failed(db, copy_commits(db, &live, budget, false));
}

int lsv_copy_commits_to(struct lsv_db *db, const struct lsv_shm *head)
{
	return failed(db, copy_commits(db, head, UINT64_MAX, true));
}
