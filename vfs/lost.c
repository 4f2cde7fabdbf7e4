/* SPDX-License-Identifier: MIT */
#include "vfs/lost.h"

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/spool/folder.h"
#include "replica/spool/spoolfile.h"
#include "vfs/lead.h"
#include "vfs/replica.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whoever removes it is at it, or removes the database next. */
#define GRACE_NS (200 * LSV_NS_PER_MS)
#define AGAIN_NS LSV_NS_PER_S

/* A database that is gone, or another one, needs no folder. */
static bool is_lost(struct lsv_db *db)
{
	struct stat st;

	return db->coord_ino != 0 &&
	       !lsv_coord_is_in(db->dir, lsv_db_coord(db), db->coord_ino) &&
	       stat(db->path, &st) == 0;
}

/* Tickets of the old page say nothing of the new one. */
static void forget_tickets(struct lsv_db *db)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->mutex);
	const struct lsv_coord_page *page = lsv_db_coord(db);
	uint32_t wake = atomic_load(&page->wake);

	for (size_t i = 0; i < db->config.n_replicas; i++)
		db->replicas[i].ticket = 0;
	atomic_store(&db->captured_ticket, page->first_ticket);
	atomic_store(&db->answering_ticket, 0);
	atomic_store(&db->begin_due_ns, 0);
	atomic_store(&db->wake_done, wake);
	db->wake_seen = wake;
	db->followed_ticket = 0;
	db->followed_dirty = 0;
	db->stuck_since_ns = 0;
}

static int make_folder(struct lsv_db *db)
{
	auto_free char *outer = lsv_folder_path(db->path);
	bool is_stock = false;
	int r = outer ? lsv_folder_make(db->path, &is_stock) : -ENOMEM;

	/* Litestream's, by now: ours would have to be apart. */
	if (r == 0 && is_stock && strcmp(outer, db->dir) == 0)
		return -EEXIST;
	return r == 0 ? lsv_spool_mkdir(db->dir, db->file_mode) : r;
}

/* The page stays at its address: threads of the program look at it. */
static int go_on(struct lsv_db *db)
{
	struct lsv_coord_page *page = lsv_db_coord(db);
	int r = make_folder(db);

	if (r == 0)
		r = lsv_coord_map(db->dir, db->file_mode, &page,
		                  &db->coord_ino);
	if (r < 0)
		return r;
	forget_tickets(db);
	return 0;
}

static void say(struct lsv_db *db, int r)
{
	if (r == 0)
		log_warn(0,
		         "%s: %s was removed while it was in use: what was "
		         "in it begins anew",
		         db->path, db->dir);
	else if (!db->is_cut_off)
		log_error(r,
		          "%s: %s was removed while it was in use, and "
		          "cannot be made again",
		          db->path, db->dir);
	db->is_cut_off = r < 0;
}

bool lsv_lost_look(struct lsv_db *db, int64_t now_ns)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);
	int r;

	if (!is_lost(db)) {
		db->lost_since_ns = 0;
		return false;
	}
	if (db->lost_since_ns == 0)
		db->lost_since_ns = now_ns;
	db->naps = false;
	db->due_ns = db->lost_since_ns + GRACE_NS;
	if (now_ns < db->due_ns)
		return true;
	db->due_ns = now_ns + AGAIN_NS;
	/* What is on its way is for tickets of the old page. */
	if (lsv_db_is_busy(db))
		return true;
	r = go_on(db);
	say(db, r);
	if (r == 0) {
		lsv_lead_forget(db);
		db->lost_since_ns = 0;
		db->naps = true;
	}
	return true;
}
