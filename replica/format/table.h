/* SPDX-License-Identifier: MIT */
#ifndef LSV_TABLE_H
#define LSV_TABLE_H

/*
 * The commit table: what rides behind the data of every object of ours, in a
 * skippable frame (design.md section 8, lsvfs-format(5)), little-endian:
 *
 *	 0 "LSVFSCT1"   8 u32 version 1   12 u32 header size 72
 *	16 u32 record size 48            20 u32 count
 *	24 u64 generation                32 u32 index   36 u32 zero
 *	40 u64 first offset              48 u64 first txid
 *	56 16 bytes lineage              72 records
 *	then u64 XXH64 of all before, u32 length of all (with this trailer),
 *	u32 magic "LSVE"
 *
 * Readers skip what larger header and record sizes add.
 */

#include "replica/base/stream.h"
#include "replica/wal/commit.h"
#include "replica/wal/pos.h"

#include <stdbool.h>

#define LSV_LINEAGE_SIZE 16
#define LSV_TABLE_VERSION 1
#define LSV_TABLE_END_MAGIC UINT32_C(0x4556534c) /* "LSVE" */
#define LSV_TABLE_TRAILER_SIZE 16

struct lsv_table {
	struct lsv_pos first; /* a snapshot's offset is 0 */
	uint64_t first_txid;  /* of the first commit; a snapshot's own txid */
	uint8_t lineage[LSV_LINEAGE_SIZE];
	struct lsv_commits commits;
};

/* -EINVAL: a table that no reader would take (see below).  -EFBIG: more
 * commits than it can hold. */
int lsv_table_encode(const struct lsv_table *table, struct lsv_buf *into);

/* -ENOENT: this is no commit table at all.  -EBADMSG: it is one, but its
 * checksum, sizes or order are wrong (ends rise, txids rise by one, every
 * commit has pages).  -EPROTO: whole, but of a version that we do not know:
 * a newer lsvfs wrote it.  Times are not judged.
 * On success the caller frees with lsv_table_free(). */
int lsv_table_decode(const uint8_t *bytes, size_t n, struct lsv_table *table);

/* A snapshot's table: one record, whose end is 0. */
bool lsv_table_is_snapshot(const struct lsv_table *table);

void lsv_table_free(struct lsv_table *table);

#define auto_table __attribute__((cleanup(lsv_table_free)))

#endif
