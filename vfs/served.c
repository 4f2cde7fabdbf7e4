/* SPDX-License-Identifier: MIT */
#include "vfs/served.h"

#include "replica/base/log.h"
#include "vfs/replica.h"

static bool is_named(const struct lsv_coord_page *coord, uint64_t name_hash)
{
	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++)
		if (atomic_load(&coord->shipped[i].name_hash) == name_hash)
			return true;
	return false;
}

/* The same place may be written another way there: the state has its text. */
static bool is_named_otherwise(struct lsv_db *db,
                               const struct lsv_replica_config *config)
{
	auto_free struct lsv_state *state = calloc(1, sizeof *state);

	if (!state || lsv_state_load(db->dir, state) < 0)
		return false;
	for (size_t i = 0; i < LSV_REPLICAS_MAX; i++) {
		struct lsv_replica_record *record = &state->replicas[i];
		struct lsv_replica_config theirs = {.url = record->url};

		if (record->name_hash != 0 &&
		    is_named(lsv_db_coord(db), record->name_hash) &&
		    lsv_replica_config_is_same(&theirs, config))
			return true;
	}
	return false;
}

static bool is_served(struct lsv_db *db, struct lsv_replica *replica)
{
	if (!is_named(lsv_db_coord(db), lsv_replica_hash(replica->config)) &&
	    !is_named_otherwise(db, replica->config))
		return false;
	atomic_store(&replica->is_unserved, 0);
	return true;
}

bool lsv_served_all(struct lsv_db *db)
{
	bool all = true;

	for (size_t i = 0; i < db->config.n_replicas; i++)
		all &= is_served(db, &db->replicas[i]);
	return all;
}

void lsv_served_tell(struct lsv_db *db)
{
	unsigned pid = atomic_load(&lsv_db_coord(db)->leader_pid);

	for (size_t i = 0; i < db->config.n_replicas; i++) {
		struct lsv_replica *replica = &db->replicas[i];

		if (!is_served(db, replica) &&
		    !atomic_exchange(&replica->is_unserved, 1))
			log_error(0,
			          "%s: process %u replicates it, and not to "
			          "replica %s, which gets nothing: give both "
			          "processes the same replicas",
			          db->path, pid, replica->config->url);
	}
}
