/* SPDX-License-Identifier: MIT */
#include "vfs/begin.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/spool/folder.h"
#include "replica/wal/pagehash.h"
#include "vfs/copy.h"
#include "vfs/image.h"
#include "vfs/lead.h"
#include "vfs/own.h"
#include "vfs/plain.h"
#include "vfs/rotate.h"
#include "vfs/sentence.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define RETRY_MIN_NS (20 * LSV_NS_PER_MS)
#define RETRY_SOON_NS (500 * LSV_NS_PER_MS)
#define RETRY_MAX_NS (60 * LSV_NS_PER_S)
#define CANCELLED_OFTEN 20

/* What a new generation is made of, until it is handed over. */
struct birth {
	struct lsv_db *db;
	uint64_t generation;
	char *gen_dir;
	struct lsv_pagemap *pages;
	struct lsv_commit base;
	int failed; /* of the page hashes */
};

static void upload_of(const struct birth *birth, struct lsv_upload *upload)
{
	*upload = (struct lsv_upload){
		.gen_dir = birth->gen_dir,
		.generation = birth->generation,
		.codec = birth->db->config.compression,
	};
	memcpy(upload->lineage, birth->db->lineage, sizeof upload->lineage);
}

static void note_hash(void *arg, uint32_t page_no, uint64_t hash)
{
	struct birth *birth = arg;

	if (birth->failed == 0)
		birth->failed = lsv_pagemap_set(birth->pages, page_no, hash);
}

static int choose_generation(struct birth *birth)
{
	struct lsv_db *db = birth->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	struct lsv_indexes indexes = {0};
	int r;

	if (!lsv_lead_holds(db))
		return -EAGAIN;
	r = lsv_folder_indexes(db->gen_dir, &indexes);
	free(indexes.at);
	/* A folder that was claimed and never had a shadow will do; not one
	 * whose shadow was dropped (-ENOENT): the replica may have objects of
	 * that generation, and it would have two histories. */
	if (r == 0 && indexes.n == 0)
		birth->generation = db->generation;
	else
		r = lsv_folder_new_generation(db->dir, db->file_mode,
		                              &birth->generation);
	birth->gen_dir = lsv_folder_generation_dir(db->dir, birth->generation);
	return r < 0 ? r : birth->gen_dir ? 0 : -ENOMEM;
}

/* When what the image is of was committed, as far as that is known; it could
 * be seen at seen_ns.  Of a commit that a generation before has, or may have,
 * it is that, too: what is in the file now may be another thing.  Later than
 * all that it has: else nobody could tell which of the two is newer. */
static int64_t time_of(struct lsv_db *db, const struct lsv_shm *head,
                       int64_t seen_ns)
{
	const struct lsv_coord_page *coord = lsv_db_coord(db);
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	int64_t last_ns = db->captured_ns, time_ns;
	struct lsv_captured last;
	bool is_known = lsv_coord_captured(coord, &last);

	if (is_known && last.time_ns > last_ns)
		last_ns = last.time_ns;
	if (is_known && last.generation == 0)
		last = db->ended;
	if (seen_ns <= last_ns)
		seen_ns = last_ns + 1;
	if (!is_known || last.time_ns != last_ns ||
	    (lsv_salt_equal(last.salt, head->salt) &&
	     last.frame >= head->mx_frame))
		return seen_ns;
	/* Without a stamp yet it has not returned yet. */
	time_ns = lsv_coord_stamped(coord, head);
	return time_ns > last_ns && time_ns < seen_ns ? time_ns : seen_ns;
}

static int spool(struct birth *birth, struct lsv_image *image, int64_t seen_ns)
{
	const struct lsv_shm *head = lsv_image_head(image);
	struct lsv_upload upload;
	int r;

	r = lsv_pagemap_open(birth->db->dir, head->page_size,
	                     birth->db->file_mode, &birth->pages);
	if (r == 0)
		r = lsv_pagemap_clear(birth->pages);
	if (r < 0)
		return r;
	upload_of(birth, &upload);
	birth->base = (struct lsv_commit){
		.time_ns = time_of(birth->db, head, seen_ns),
		.db_pages = head->db_pages,
	};
	r = lsv_upload_spool_snapshot(
		&upload, 0,
		&(struct lsv_snapshot_source){lsv_image_pages(image),
	                                      head->page_size, note_hash,
	                                      birth},
		&birth->base);
	if (r == 0)
		r = birth->failed;
	if (r == 0 && lsv_pagemap_sum(birth->pages) != birth->base.page_hash)
		r = -EIO;
	return r;
}

/* Under the shadow's mutex. */
static void announce(struct lsv_db *db)
{
	for (size_t i = 0; i < db->config.n_replicas; i++)
		log_info("%s: generation %016" PRIx64 " begins: %s; replica %s",
		         db->path, db->generation, db->reason ? db->reason : "",
		         db->config.replicas[i].url);
	lsv_sentence_move(&db->reason, &db->origin);
}

/* A shadow whose snapshot will not come is none: whoever leads next must not
 * take it for one whose snapshot is there. */
static int make_shadow(struct birth *birth, const struct lsv_shm *head,
                       const struct lsv_record *base)
{
	struct lsv_db *db = birth->db;
	int r = lsv_shadow_create(db->gen_dir, db->generation, 0,
	                          head->page_size, base, db->file_mode,
	                          &db->wal);

	if (r == 0)
		r = lsv_pagemap_mark(birth->pages, 0, 0);
	if (r == 0 && head->mx_frame > 0)
		r = lsv_source_begin(&db->source, db->wal_path, head);
	if (r == 0)
		r = lsv_source_seek(&db->source, &base->real);
	if (r < 0)
		lsv_lead_clear(db);
	return r;
}

/* The generation becomes the current one, standing at the image's commit. */
static int hand_over(struct birth *birth, struct lsv_image *image)
{
	struct lsv_db *db = birth->db;
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	const struct lsv_shm *head = lsv_image_head(image);
	struct lsv_record base = {birth->base, *lsv_image_real(image)};
	struct lsv_pos old = {0};
	int r;

	if (!lsv_lead_holds(db))
		return -EAGAIN;
	if (db->wal)
		old = (struct lsv_pos){db->generation,
		                       lsv_shadow_index(db->wal),
		                       lsv_shadow_end(db->wal)->commit.end};
	r = lsv_lead_switch(db, birth->generation);
	if (r == 0)
		r = make_shadow(birth, head, &base);
	if (r < 0)
		return r;
	db->pages = take(birth->pages);
	db->is_map_lost = false;
	db->parent = old;
	db->captured_ns = base.commit.time_ns;
	db->n_segments = 0;
	db->snapshot_index = 0;
	lsv_replicas_begin(db);
	db->tuple = (struct lsv_tuple){0};
	db->is_begun = true;
	if (head->mx_frame == 0)
		memcpy(db->source.salt, head->salt, sizeof db->source.salt);
	atomic_store(&db->role, LSV_LIVE);
	announce(db);
	lsv_copy_publish(db, head->salt, head->mx_frame);
	return 0;
}

static int new_generation(struct lsv_db *db, struct lsv_image *image,
                          int64_t seen_ns)
{
	struct birth birth = {.db = db};
	int r = choose_generation(&birth);

	if (r == 0)
		r = spool(&birth, image, seen_ns);
	if (r == 0)
		r = hand_over(&birth, image);
	if (r == 0) {
		lsv_folder_remove_others(db->dir, birth.generation);
	} else if (birth.gen_dir) {
		struct lsv_upload upload;

		upload_of(&birth, &upload);
		lsv_upload_drop_snapshot(&upload, 0);
	}
	lsv_pagemap_close(birth.pages);
	free(birth.gen_dir);
	return r;
}

/* The page-hash checksum of an image; its page hashes into 'map', if any. */
static int image_hash(struct lsv_image *image, struct lsv_pagemap *map,
                      uint64_t *sum)
{
	const struct lsv_shm *head = lsv_image_head(image);
	struct lsv_reader *pages = lsv_image_pages(image);
	auto_free uint8_t *page = malloc(head->page_size);
	int r = page ? 0 : -ENOMEM;

	*sum = 0;
	for (uint32_t i = 1; r == 0 && i <= head->db_pages; i++) {
		ssize_t n = lsv_read_full(pages, page, head->page_size);
		uint64_t hash;

		if (n < 0)
			return (int)n;
		hash = lsv_page_hash(i, page, head->page_size);
		*sum ^= hash;
		if (map)
			r = lsv_pagemap_set(map, i, hash);
	}
	return r < 0 ? r : pages->rewind(pages);
}

/* Under the shadow's mutex: the shadow's end is the image's commit.  *map is of
 * it, for one that was lost; NULL: what is there is. */
static int stand_at_image(struct lsv_db *db, struct lsv_image *image,
                          struct lsv_pagemap **map)
{
	const struct lsv_shm *head = lsv_image_head(image);
	const struct lsv_commit *end;
	int r;

	if (!lsv_lead_holds(db) || !db->is_begun || !db->wal)
		return -EAGAIN;
	if (*map) {
		lsv_pagemap_close(db->pages);
		db->pages = take(*map);
	}
	end = &lsv_shadow_end(db->wal)->commit;
	db->is_map_lost = lsv_pagemap_sum(db->pages) != end->page_hash;
	if (db->is_map_lost)
		return -EAGAIN;
	r = lsv_pagemap_mark(db->pages, lsv_shadow_index(db->wal), end->end);
	if (r == 0)
		r = lsv_source_begin(&db->source, db->wal_path, head);
	if (r == 0)
		r = lsv_source_seek(&db->source, lsv_image_real(image));
	if (r < 0)
		return r;
	lsv_sentence_clear(&db->reason);
	atomic_store(&db->role, LSV_LIVE);
	lsv_copy_publish(db, head->salt, head->mx_frame);
	return 0;
}

/* Whether the image may be the shadow's end. */
static int read_end(struct lsv_db *db, const struct lsv_shm *head,
                    uint64_t *page_hash, bool *is_map_lost)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	const struct lsv_commit *end;

	if (!lsv_lead_holds(db) || !db->is_begun || !db->wal)
		return -ESTALE;
	end = &lsv_shadow_end(db->wal)->commit;
	*page_hash = end->page_hash;
	*is_map_lost = db->is_map_lost;
	return end->db_pages == head->db_pages &&
	                       lsv_shadow_page_size(db->wal) == head->page_size
	               ? 0
	               : -ESTALE;
}

/* Case 3: the database is what the shadow's end says it was.  A map that is
 * good stays so, also where this is cut off by a close. */
static int continue_by_hash(struct lsv_db *db, struct lsv_image *image)
{
	auto_pagemap struct lsv_pagemap *map = NULL;
	const struct lsv_shm *head = lsv_image_head(image);
	auto_unlock pthread_mutex_t *held = NULL;
	uint64_t page_hash, sum = 0;
	bool is_map_lost;
	int r = read_end(db, head, &page_hash, &is_map_lost);

	if (r == 0 && is_map_lost)
		r = lsv_pagemap_open(db->dir, head->page_size, db->file_mode,
		                     &map);
	if (r == 0 && map)
		r = lsv_pagemap_clear(map);
	if (r == 0)
		r = image_hash(image, map, &sum);
	if (r < 0)
		return r;
	if (sum != page_hash)
		return -ESTALE;
	held = lsv_lock(&db->shadow);
	return stand_at_image(db, image, &map);
}

/* The cheap cases once more: CKPT is held now, so no reset is half done. */
static int attach_again(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (!lsv_lead_holds(db) || !db->is_begun || !db->wal)
		return -ESTALE;
	return lsv_lead_attach(db);
}

static int begin_at_image(struct lsv_db *db)
{
	auto_image struct lsv_image *image = NULL;
	const struct lsv_shm *head;
	int r = lsv_image_open(db, &image);
	int64_t seen_ns = lsv_clock_ns();

	if (r < 0)
		return r;
	r = attach_again(db);
	if (r != -ESTALE)
		return r;
	head = lsv_image_head(image);
	r = lsv_image_stand(image, head->mx_frame, head->db_pages);
	if (r == 0)
		r = continue_by_hash(db, image);
	if (r == -ESTALE)
		r = new_generation(db, image, seen_ns);
	return r;
}

/* With no application connection the database is opened by ourselves, and
 * left as an application's last close leaves it. */
static int visit(struct lsv_db *db, int (*read_it)(struct lsv_db *))
{
	int seat = lsv_own_sit(db), r;

	if (seat < 0)
		return seat;
	r = read_it(db);
	lsv_own_rise(seat);
	return r;
}

static bool has_files(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);

	return db->n_files > 0;
}

/* What passes by itself is no failure to speak of: a lock, an application that
 * wants EXCLUSIVE, a database without pages. */
static bool will_pass(int r)
{
	return r == -EAGAIN || r == -EBUSY || r == -ECANCELED || r == -ENODATA;
}

/* What does not get better by itself has its cause and what to do. */
static void say_why(struct lsv_db *db, int r)
{
	if (!will_pass(r) && !db->has_begin_failed) {
		if (r == -ENOSPC)
			log_error(0,
			          "%s: cannot take a snapshot: it needs more "
			          "than half of the space that is free in %s; "
			          "make room there, it is tried again",
			          db->path, db->dir);
		else
			(void)log_error(r,
			                "%s: cannot take a snapshot, it will "
			                "be tried again",
			                db->path);
	}
	db->has_begin_failed = !will_pass(r);
	if (r == -ECANCELED && ++db->n_cancelled == CANCELLED_OFTEN)
		log_warn(0,
		         "%s: its program closes it, and opens it again, "
		         "faster than a snapshot is taken: 'lsvfs sync %s' "
		         "takes it from outside",
		         db->path, db->path);
}

static void remember(struct lsv_db *db, int r)
{
	int64_t max_ns = will_pass(r) ? RETRY_SOON_NS : RETRY_MAX_NS;
	int64_t wait_ns = RETRY_MIN_NS;

	if (r < 0)
		say_why(db, r);
	if (r == 0 || (will_pass(r) && lsv_plain_park(db))) {
		db->begin_failures = 0;
		db->n_cancelled = 0;
		atomic_store(&db->begin_due_ns, 0);
		return;
	}
	for (int i = 0; i < db->begin_failures && wait_ns < max_ns; i++)
		wait_ns *= 2;
	db->begin_failures++;
	atomic_store(&db->begin_due_ns, lsv_clock_mono_ns() + wait_ns);
}

static int enter_and(struct lsv_db *db, int (*read_it)(struct lsv_db *))
{
	int r = lsv_db_enter(db);

	if (r == 0) {
		r = read_it(db);
		lsv_db_leave(db);
	}
	remember(db, r);
	return r;
}

static int begin(struct lsv_db *db)
{
	return has_files(db) ? begin_at_image(db) : visit(db, begin_at_image);
}

void lsv_begin(struct lsv_db *db, struct lsv_replica *none)
{
	(void)none;
	(void)enter_and(db, begin);
}

static int copy_rest(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	int r = 0;

	if (!lsv_lead_holds(db) || db->reason)
		return -EAGAIN;
	if (atomic_load(&db->role) == LSV_ADRIFT)
		r = lsv_lead_attach(db);
	return r < 0 ? r : lsv_copy_commits(db, UINT64_MAX);
}

int lsv_begin_again(struct lsv_db *db)
{
	int r = lsv_db_enter(db);

	if (r == 0) {
		r = visit(db, copy_rest);
		lsv_db_leave(db);
	}
	/* A WAL that went with the mode was copied before. */
	if (r == -EAGAIN && lsv_plain_look(db) == LSV_JOURNAL_PLAIN)
		r = 0;
	/* What is not continuous is no failure of this: there is a reason to
	 * begin a generation, at once. */
	remember(db, r == -ESTALE ? 0 : r);
	return r;
}

/* Ends index N-1 where the shadow is and begins N there; where nothing was
 * committed in it yet, N is the index that there is. */
static int begin_index(struct lsv_db *db, struct lsv_image *image,
                       struct lsv_record *base, uint32_t *index)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	const struct lsv_shm *head = lsv_image_head(image);
	int r = lsv_lead_holds(db) && atomic_load(&db->role) == LSV_LIVE
	                ? lsv_copy_commits(db, UINT64_MAX)
	                : -EAGAIN;

	if (r < 0)
		return r;
	/* CKPT is held: what the head said of the backfill still holds, and
	 * the shadow's end is a commit at or behind it. */
	if (!lsv_salt_equal(db->source.salt, head->salt))
		return -EAGAIN;
	*base = *lsv_shadow_end(db->wal);
	r = lsv_rotate(db);
	if (r < 0)
		return r;
	*index = lsv_shadow_index(db->wal);
	db->is_snapshot_pending = true;
	return lsv_image_stand(image, db->source.at.real.frame,
	                       base->commit.db_pages);
}

/* The snapshot of an index that was begun is here, or will not come. */
static void end_pending(struct lsv_db *db, uint32_t index, bool is_here)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	db->is_snapshot_pending = false;
	if (is_here)
		db->snapshot_index = index;
}

/* What the database's file has is not what was committed to it: bytes rotted,
 * or a stranger wrote.  What was captured until now stays as it is. */
static int pages_differ(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

	if (lsv_lead_holds(db))
		lsv_lead_end(db, "its pages are not what was committed");
	return -EAGAIN;
}

static int spool_index(struct lsv_db *db, struct lsv_image *image,
                       struct lsv_record *base, uint32_t index)
{
	struct birth birth = {.db = db, .generation = db->generation};
	uint64_t page_hash = base->commit.page_hash;
	struct lsv_upload upload;
	int r;

	birth.gen_dir = lsv_folder_generation_dir(db->dir, birth.generation);
	if (!birth.gen_dir)
		return -ENOMEM;
	upload_of(&birth, &upload);
	if (lsv_upload_has_spooled(&upload, index)) {
		/* Of this very state: nothing was committed in the index. */
		free(birth.gen_dir);
		return 0;
	}
	r = lsv_upload_spool_snapshot(
		&upload, index,
		&(struct lsv_snapshot_source){lsv_image_pages(image),
	                                      lsv_image_head(image)->page_size,
	                                      NULL, NULL},
		&base->commit);
	if (r == 0 && base->commit.page_hash != page_hash)
		r = pages_differ(db);
	if (r < 0)
		lsv_upload_drop_snapshot(&upload, index);
	free(birth.gen_dir);
	return r;
}

static int snapshot(struct lsv_db *db)
{
	auto_image struct lsv_image *image = NULL;
	struct lsv_record base;
	uint32_t index = 0;
	int r = lsv_image_open(db, &image);

	if (r == 0)
		r = begin_index(db, image, &base, &index);
	if (r == 0)
		r = spool_index(db, image, &base, index);
	end_pending(db, index, r == 0);
	return r;
}

void lsv_begin_index(struct lsv_db *db, struct lsv_replica *none)
{
	/* Asked for from here on, it is another one. */
	int wished = atomic_exchange(&db->is_snapshot_wished, 0);

	(void)none;
	if (enter_and(db, snapshot) < 0 && wished)
		atomic_store(&db->is_snapshot_wished, 1);
}
