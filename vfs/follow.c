/* SPDX-License-Identifier: MIT */
#include "vfs/follow.h"

#include "replica/base/clock.h"
#include "vfs/bell.h"
#include "vfs/lead.h"

void lsv_follow_forget(struct lsv_db *db, uint64_t dirty)
{
	uint64_t seen = dirty;

	atomic_compare_exchange_strong(&db->dirty, &seen, 0);
}

/* Every replica has what was captured, but those that get nothing more.  Where
 * a leader has not said a word of all of them, nobody knows. */
static bool is_shipped(struct lsv_db *db, const struct lsv_captured *captured)
{
	const struct lsv_coord_page *coord = lsv_db_coord(db);
	size_t n = 0;

	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++) {
		const struct lsv_shipped *shipped = &coord->shipped[i];

		if (atomic_load(&shipped->name_hash) == 0)
			continue;
		n++;
		if (atomic_load(&shipped->state) != LSV_REPLICA_BROKEN &&
		    (atomic_load(&shipped->generation) !=
		             captured->generation ||
		     atomic_load(&shipped->index) != captured->index ||
		     atomic_load(&shipped->offset) != captured->offset))
			return false;
	}
	return n >= db->config.n_replicas;
}

/* What a connection of this process shows is on the replicas. */
static bool is_seen_there(struct lsv_db *db, const struct lsv_shm *live)
{
	struct lsv_captured captured;

	return lsv_coord_captured(lsv_db_coord(db), &captured) &&
	       captured.generation != 0 &&
	       lsv_salt_equal(live->salt, captured.salt) &&
	       live->mx_frame == captured.frame && is_shipped(db, &captured);
}

/* Whoever leads has done for it what can be done now. */
static bool is_answered(const struct lsv_coord_page *coord, uint64_t ticket)
{
	return atomic_load(&coord->shipped_ticket) >= ticket ||
	       atomic_load(&coord->answered_ticket) >= ticket;
}

/* With no connection left nothing shows it: once this process has been quiet
 * for a look, it asks, as who waits does. */
static bool is_told(struct lsv_db *db, uint64_t dirty)
{
	if (dirty != db->followed_dirty) {
		db->followed_dirty = dirty;
		db->followed_ticket = 0;
		return false;
	}
	if (dirty > 0 && db->followed_ticket == 0)
		db->followed_ticket = lsv_bell_ticket(db);
	return dirty > 0 && is_answered(lsv_db_coord(db), db->followed_ticket);
}

static bool is_there(struct lsv_db *db, uint64_t dirty)
{
	struct lsv_shm live;

	return lsv_db_live(db, &live) == 0 ? is_seen_there(db, &live)
	                                   : is_told(db, dirty);
}

/* Who was called and has not looked since stands still: an idle one looks at
 * once, whenever it looked before. */
static void usurp_when_stuck(struct lsv_db *db, int64_t now_ns)
{
	int64_t advanced_ns = atomic_load(&lsv_db_coord(db)->advanced_ns);

	if (now_ns - advanced_ns < LSV_STUCK_NS || db->stuck_since_ns == 0 ||
	    advanced_ns != db->stuck_advanced_ns) {
		db->stuck_since_ns = now_ns;
		db->stuck_advanced_ns = advanced_ns;
	} else if (now_ns - db->stuck_since_ns >= LSV_STUCK_NS) {
		auto_unlock pthread_mutex_t *held = lsv_lock(&db->shadow);

		db->stuck_since_ns = 0;
		lsv_lead_usurp(db);
	}
}

void lsv_follow(struct lsv_db *db, uint64_t dirty, int64_t now_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t again_ns = now_ns + db->config.sync_interval_ns;

	if (is_there(db, dirty)) {
		lsv_follow_forget(db, dirty);
		db->followed_dirty = 0;
		db->stuck_since_ns = 0;
		if (atomic_load(&db->dirty) == 0)
			return;
	}
	if (atomic_load(&db->dirty) == 0 &&
	    is_answered(coord, atomic_load(&coord->request)))
		return;
	/* Who is idle does not advance, and a commit may have woken a leader
	 * of before. */
	lsv_bell_call(db);
	usurp_when_stuck(db, now_ns);
	if (again_ns < db->due_ns)
		db->due_ns = again_ns;
}
