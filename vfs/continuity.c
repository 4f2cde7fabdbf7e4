/* SPDX-License-Identifier: MIT */
#include "vfs/continuity.h"

#include "replica/spool/coord.h"
#include "replica/spool/state.h"
#include "replica/spool/witness.h"

/* The source stands where (salt, frame) was, or where what followed it
 * begins. */
static bool stand(struct lsv_db *db, const struct lsv_shm *live,
                  const uint32_t salt[2], const struct lsv_real *real)
{
	bool is_new = false;

	if (!lsv_witness_follows(lsv_db_coord(db), salt, real->frame, live,
	                         &is_new) ||
	    lsv_source_begin(&db->source, db->wal_path, live) < 0)
		return false;
	return is_new || lsv_source_seek(&db->source, real) == 0;
}

bool lsv_continuity_of_wal(struct lsv_db *db, const struct lsv_shm *live)
{
	const struct lsv_record *end = lsv_shadow_end(db->wal);
	struct lsv_captured captured;
	struct lsv_frame last;

	lsv_frame_decode(end->real.header, &last);
	if (end->real.frame > 0 && stand(db, live, last.salt, &end->real))
		return true;
	return lsv_coord_captured(lsv_db_coord(db), &captured) &&
	       captured.generation == db->generation &&
	       captured.index == lsv_shadow_index(db->wal) &&
	       captured.offset == end->commit.end && captured.frame == 0 &&
	       /* Without a WAL there are no salts: that identifies nothing. */
	       (captured.salt[0] | captured.salt[1]) != 0 &&
	       stand(db, live, captured.salt, &(struct lsv_real){0});
}

bool lsv_continuity_is_untouched(struct lsv_db *db)
{
	const struct lsv_pos end = {db->generation, lsv_shadow_index(db->wal),
	                            lsv_shadow_end(db->wal)->commit.end};
	const struct lsv_tuple *tuple = &db->tuple;
	struct lsv_tuple now;

	return tuple->pos.generation == end.generation &&
	       lsv_pos_compare(&tuple->pos, &end) == 0 &&
	       lsv_tuple_of(db->path, &now) == 0 &&
	       lsv_tuple_equal(tuple, &now);
}

bool lsv_continuity_of_file(struct lsv_db *db, const struct lsv_shm *live)
{
	return lsv_continuity_is_untouched(db) &&
	       lsv_source_begin(&db->source, db->wal_path, live) == 0;
}
