/* SPDX-License-Identifier: MIT */
#ifndef LSV_FRAME_H
#define LSV_FRAME_H

/*
 * SQLite's WAL, byte by byte (https://sqlite.org/fileformat2.html#walformat):
 * a header of 32 bytes, then frames: a header of 24 bytes and a page.
 *
 *	header  0 magic (0x377f0682, |1: checksums read big-endian words)
 *	        4 format 3007000     8 page size      12 checkpoint sequence
 *	       16 salt1             20 salt2
 *	       24 checksum1         28 checksum2       of bytes 0..23
 *	frame   0 page number        4 pages of the database, if it commits
 *	        8 salt1             12 salt2
 *	       16 checksum1         20 checksum2       of 0..7 and the page,
 *	                                               chained to the one before
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LSV_WAL_HEADER_SIZE 32
#define LSV_FRAME_HEADER_SIZE 24
#define LSV_PAGE_SIZE_MIN 512
#define LSV_PAGE_SIZE_MAX 65536

struct lsv_wal_header {
	bool big_endian; /* how checksums read their words */
	uint32_t page_size;
	uint32_t sequence;
	uint32_t salt[2];
	uint32_t checksum[2];
};

struct lsv_frame {
	uint32_t page_no;
	uint32_t db_pages; /* not 0: this frame commits */
	uint32_t salt[2];
	uint32_t checksum[2];
};

/* Extends the checksum s over n bytes (a multiple of 8). */
void lsv_wal_checksum(bool big_endian, const void *data, size_t n,
                      uint32_t s[2]);

/* -EBADMSG: not a WAL header, or its checksum is wrong. */
int lsv_wal_header_decode(const uint8_t bytes[LSV_WAL_HEADER_SIZE],
                          struct lsv_wal_header *header);
/* Computes header->checksum on the way. */
void lsv_wal_header_encode(struct lsv_wal_header *header,
                           uint8_t bytes[LSV_WAL_HEADER_SIZE]);

void lsv_frame_decode(const uint8_t bytes[LSV_FRAME_HEADER_SIZE],
                      struct lsv_frame *frame);
/* Chains to checksum s, which it advances; fills frame->checksum. */
void lsv_frame_encode(struct lsv_frame *frame, bool big_endian,
                      const void *page, size_t page_size, uint32_t s[2],
                      uint8_t bytes[LSV_FRAME_HEADER_SIZE]);

/* True when the frame belongs to 'salt' and its checksum continues s, which
 * then advances; s is left alone otherwise. */
bool lsv_frame_verify(const uint8_t bytes[LSV_FRAME_HEADER_SIZE],
                      const void *page, size_t page_size, bool big_endian,
                      const uint32_t salt[2], uint32_t s[2]);

bool lsv_page_size_valid(uint32_t page_size);

static inline uint64_t lsv_frame_offset(uint32_t frame_no, uint32_t page_size)
{
	return LSV_WAL_HEADER_SIZE +
	       (uint64_t)(frame_no - 1) * (LSV_FRAME_HEADER_SIZE + page_size);
}

/* The salts and checksum byte order of ours, for a generation and an index:
 * salt1 = high 32 bits of the generation + index, salt2 = its low 32 bits
 * (design.md section 5). */
void lsv_shadow_header(uint64_t generation, uint32_t index, uint32_t page_size,
                       struct lsv_wal_header *header);

#endif
