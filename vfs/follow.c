/* SPDX-License-Identifier: MIT */
#include "vfs/follow.h"

#include "replica/base/clock.h"
#include "vfs/bell.h"
#include "vfs/lead.h"
#include "vfs/served.h"

#include <string.h>

void lsv_follow_forget(struct lsv_db *db, uint64_t dirty)
{
	uint64_t seen = dirty;

	atomic_compare_exchange_strong(&db->dirty, &seen, 0);
}

/* The generation, asked for before and behind all else, says that this is of
 * one and the same: while a position goes over to another one it is 0. */
static bool has(const struct lsv_shipped *shipped,
                const struct lsv_captured *captured)
{
	return atomic_load(&shipped->generation) == captured->generation &&
	       atomic_load(&shipped->index) == captured->index &&
	       atomic_load(&shipped->offset) == captured->offset &&
	       atomic_load(&shipped->txid) == captured->txid &&
	       atomic_load(&shipped->generation) == captured->generation;
}

/* Every replica of whoever leads has what was captured, but those that get
 * nothing more.  Where it has not said a word of them, nobody knows. */
static bool is_shipped(const struct lsv_coord_page *coord,
                       const struct lsv_captured *captured)
{
	size_t n = 0;

	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++) {
		const struct lsv_shipped *shipped = &coord->shipped[i];

		if (atomic_load(&shipped->name_hash) == 0)
			continue;
		n++;
		if (!has(shipped, captured) &&
		    atomic_load(&shipped->state) != LSV_REPLICA_BROKEN)
			return false;
	}
	return n > 0;
}

/* What a connection of this process shows is in the shadow. */
static bool is_captured(struct lsv_db *db, struct lsv_captured *captured)
{
	struct lsv_shm live;

	return lsv_db_live(db, &live) == 0 &&
	       lsv_coord_captured(lsv_db_coord(db), captured) &&
	       captured->generation != 0 &&
	       lsv_salt_equal(live.salt, captured->salt) &&
	       live.mx_frame == captured->frame;
}

/* Every replica has it, those of whoever leads and ours, without exception. */
static bool is_everywhere(struct lsv_db *db,
                          const struct lsv_captured *captured)
{
	const struct lsv_coord_page *coord = lsv_db_coord(db);

	if (!lsv_served_all(db))
		return false;
	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++)
		if (atomic_load(&coord->shipped[i].name_hash) != 0 &&
		    (atomic_load(&coord->shipped[i].state) ==
		             LSV_REPLICA_BROKEN ||
		     !has(&coord->shipped[i], captured)))
			return false;
	return true;
}

/* What the page says of SQLite's files was true in the boot of its leader. */
static bool is_of_this_boot(const struct lsv_coord_page *coord)
{
	uint8_t boot[LSV_BOOT_ID_SIZE];

	lsv_boot_id(boot);
	return memcmp(coord->leader_boot, boot, sizeof boot) == 0;
}

/* Who waits for a ticket need not wait for a leader that may stand still, where
 * all that was committed before the look is seen to be everywhere.  Without a
 * WAL there are no salts: that identifies nothing. */
static void answer(struct lsv_db *db, uint64_t ticket)
{
	struct lsv_captured captured;

	if (lsv_bell_is_awaited(db) && is_captured(db, &captured) &&
	    (captured.salt[0] | captured.salt[1]) != 0 &&
	    is_everywhere(db, &captured) && is_of_this_boot(lsv_db_coord(db)))
		lsv_bell_shipped(lsv_db_coord(db), ticket);
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

/* What is shipped, and where to, is for whoever leads to say: of a replica that
 * only we have, nothing will become.  Who has just begun to lead had no time
 * yet to name its own. */
static bool knows_ours(struct lsv_db *db)
{
	uint64_t epoch = atomic_load(&lsv_db_coord(db)->epoch);

	if (lsv_served_all(db))
		return true;
	if (db->unserved_epoch != epoch) {
		db->unserved_epoch = epoch;
		return false;
	}
	lsv_served_tell(db);
	return true;
}

static bool is_there(struct lsv_db *db, uint64_t dirty)
{
	struct lsv_captured captured;
	struct lsv_shm live;

	return (lsv_db_live(db, &live) == 0
	                ? is_captured(db, &captured) &&
	                          is_shipped(lsv_db_coord(db), &captured)
	                : is_told(db, dirty)) &&
	       knows_ours(db);
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

void lsv_follow(struct lsv_db *db, uint64_t ticket, uint64_t dirty,
                int64_t now_ns)
{
	struct lsv_coord_page *coord = lsv_db_coord(db);
	int64_t again_ns = now_ns + db->config.sync_interval_ns;

	if (is_there(db, dirty)) {
		lsv_follow_forget(db, dirty);
		db->followed_dirty = 0;
		answer(db, ticket);
	}
	if (atomic_load(&db->dirty) == 0 &&
	    is_answered(coord, atomic_load(&coord->request))) {
		db->stuck_since_ns = 0;
		return;
	}
	/* Who is idle does not advance, and a commit may have woken a leader
	 * of before. */
	lsv_bell_call(db);
	usurp_when_stuck(db, now_ns);
	if (again_ns < db->due_ns)
		db->due_ns = again_ns;
}
