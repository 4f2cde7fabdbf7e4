/* SPDX-License-Identifier: MIT */
#include "vfs/rotate.h"

#include "vfs/copy.h"

#define SEGMENTS_PER_INDEX 100
#define BYTES_PER_INDEX (UINT64_C(64) << 20)

int lsv_rotate(struct lsv_db *db)
{
	struct lsv_shadow *next = NULL;
	int r;

	if (lsv_shadow_end(db->wal)->commit.end == 0)
		return 0;
	r = lsv_shadow_create(db->gen_dir, db->generation,
	                      lsv_shadow_index(db->wal) + 1,
	                      lsv_shadow_page_size(db->wal),
	                      lsv_shadow_end(db->wal), db->file_mode, &next);
	if (r < 0)
		return r;
	lsv_shadow_close(db->wal);
	db->wal = next;
	db->n_segments = 0;
	lsv_copy_publish(db, db->source.salt, db->source.at.real.frame);
	return 0;
}

static uint64_t bytes_per_index(const struct lsv_db *db)
{
	uint64_t share = db->config.max_local_bytes / 4;

	return share < BYTES_PER_INDEX ? share : BYTES_PER_INDEX;
}

int lsv_rotate_if_due(struct lsv_db *db)
{
	uint64_t end = lsv_shadow_end(db->wal)->commit.end;

	if (db->n_segments < SEGMENTS_PER_INDEX && end < bytes_per_index(db))
		return 0;
	return lsv_rotate(db);
}
