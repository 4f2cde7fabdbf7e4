/* SPDX-License-Identifier: MIT */
#ifndef LSV_LAYOUT_H
#define LSV_LAYOUT_H

/*
 * The names of objects below a replica's root (Litestream's v0.3 layout and
 * ours beside it; design.md section 8):
 *
 *	generations/<gen>/snapshots/<index>.snapshot.lz4
 *	generations/<gen>/wal/<index>_<offset>.wal.lz4
 *	generations/<gen>/lsvfs/lineage.json
 *	lsvfs/owner.json
 *	lsvfs/guard             on S3: what a store is asked by (s3_put.c)
 *
 * ".zst" instead of ".lz4" when compressed with zstd.
 */

#include "replica/wal/pos.h"

enum lsv_codec { LSV_LZ4, LSV_ZSTD };

enum lsv_object_kind {
	LSV_OBJECT_OTHER, /* not ours to judge */
	LSV_OBJECT_SNAPSHOT,
	LSV_OBJECT_SEGMENT,
	LSV_OBJECT_LINEAGE,
	LSV_OBJECT_LTX, /* stock 0.5's format: recognised, refused */
};

struct lsv_object_name {
	enum lsv_object_kind kind;
	enum lsv_codec codec;
	struct lsv_pos pos; /* a snapshot's offset is 0 */
};

/* New strings that the caller frees; NULL when out of memory.  A segment's
 * offset is below 4 GiB. */
char *lsv_layout_snapshot(uint64_t generation, uint32_t index,
                          enum lsv_codec codec);
char *lsv_layout_segment(const struct lsv_pos *pos, enum lsv_codec codec);
char *lsv_layout_lineage(uint64_t generation);
char *lsv_layout_generation(uint64_t generation); /* "generations/<gen>/" */

#define LSV_LAYOUT_OWNER "lsvfs/owner.json"
#define LSV_LAYOUT_GUARD "lsvfs/guard"
#define LSV_LAYOUT_GENERATIONS "generations/"

/* What a name means.  Temporary files and the like are LSV_OBJECT_OTHER. */
void lsv_layout_parse(const char *name, struct lsv_object_name *parsed);

#endif
