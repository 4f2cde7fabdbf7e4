/* SPDX-License-Identifier: MIT */
#ifndef LSV_COMMIT_H
#define LSV_COMMIT_H

/*
 * A commit: the frames of one transaction, up to and with the one that
 * carries a database size; the unit of everything.  Its 48-byte record rides
 * with every object on the replica (lsvfs-format(5)), little-endian:
 *
 *	 0 u64 end offset in the shadow WAL of its index
 *	 8 u64 txid, from 1 in a generation, without holes
 *	16 i64 when, UTC nanoseconds since 1970
 *	24 u64 page-hash checksum of the whole database after it
 *	32 u32 checksum[2] of its last frame in the shadow's chain
 *	40 u32 pages of the database after it
 *	44 u32 zero
 */

#include "replica/base/vector.h"

#include <stdint.h>

#define LSV_COMMIT_SIZE 48

struct lsv_commit {
	uint64_t end;
	uint64_t txid;
	int64_t time_ns;
	uint64_t page_hash;
	uint32_t checksum[2];
	uint32_t db_pages;
};

LSV_VECTOR(lsv_commits, struct lsv_commit)

void lsv_commit_encode(const struct lsv_commit *commit,
                       uint8_t bytes[LSV_COMMIT_SIZE]);
void lsv_commit_decode(const uint8_t bytes[LSV_COMMIT_SIZE],
                       struct lsv_commit *commit);

#endif
