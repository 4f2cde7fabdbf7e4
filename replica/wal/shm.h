/* SPDX-License-Identifier: MIT */
#ifndef LSV_SHM_H
#define LSV_SHM_H

/*
 * The head of SQLite's -shm file
 *(https://sqlite.org/walformat.html#the_wal_index_file_format), host byte order
 *except the salts:
 *
 *	  0 and 48  two copies of
 *	            0 version  8 change  12 isInit u8  13 bigEndCksum u8
 *	           14 page size u16 (1: 65536)  16 mxFrame  20 pages
 *	           24 frame checksum[2]  32 salt[2]  40 checksum[2] of 0..39
 *	 96 nBackfill   100 read marks[5]   120 locks[8]   128
 *nBackfillAttempted
 */

#include <stdbool.h>
#include <stdint.h>

#define LSV_SHM_HEAD_SIZE 136

struct lsv_shm {
	bool big_endian; /* of the WAL's checksums */
	uint32_t page_size;
	uint32_t mx_frame;
	uint32_t db_pages;
	uint32_t frame_checksum[2];
	uint32_t salt[2];
	uint32_t n_backfill;
};

/* Reads the live head: copy 0, barrier, copy 1, compare, checksum.
 * -EAGAIN: torn, being recovered or never written; no news, not an error.
 * Never loops. */
int lsv_shm_read(const volatile void *head, struct lsv_shm *shm);

static inline bool lsv_salt_equal(const uint32_t a[2], const uint32_t b[2])
{
	return a[0] == b[0] && a[1] == b[1];
}

#endif
