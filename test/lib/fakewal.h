/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_FAKEWAL_H
#define LSV_TEST_FAKEWAL_H

/*
 * A WAL in memory with the commit table's records for it: transactions of 1,
 * 2, 3, 1, 2, 3... frames over a database of a few pages, each page filled
 * with bytes of its own.
 */

#include "replica/base/stream.h"
#include "replica/wal/commit.h"
#include "replica/wal/frame.h"
#include "replica/wal/pagehash.h"

#include <check.h>
#include <string.h>

#define FAKE_PAGES 7

struct fakewal {
	struct lsv_wal_header header;
	struct lsv_buf bytes;
	struct lsv_commits commits;
	uint32_t checksum[2];
	uint64_t hashes[FAKE_PAGES + 1];
	uint8_t page[LSV_PAGE_SIZE_MAX];
};

static inline void fakewal_fill(uint8_t *page, uint32_t page_size,
                                uint32_t seed)
{
	/* Half noise, half text: as compressible as a database. */
	for (uint32_t i = 0; i < page_size; i++) {
		seed = seed * 1664525 + 1013904223;
		page[i] = i % 64 < 32 ? (uint8_t)(seed >> 24) : 't';
	}
}

static inline void fakewal_frame(struct fakewal *wal, uint32_t page_no,
                                 uint32_t db_pages)
{
	uint8_t bytes[LSV_FRAME_HEADER_SIZE];
	struct lsv_frame frame = {
		.page_no = page_no,
		.db_pages = db_pages,
		.salt = {wal->header.salt[0], wal->header.salt[1]},
	};
	uint32_t page_size = wal->header.page_size;

	fakewal_fill(wal->page, page_size, (uint32_t)wal->bytes.n + page_no);
	lsv_frame_encode(&frame, wal->header.big_endian, wal->page, page_size,
	                 wal->checksum, bytes);
	ck_assert_int_eq(lsv_buf_append(&wal->bytes, bytes, sizeof bytes), 0);
	ck_assert_int_eq(lsv_buf_append(&wal->bytes, wal->page, page_size), 0);
	wal->hashes[page_no] = lsv_page_hash(page_no, wal->page, page_size);
}

static inline uint64_t fakewal_sum(const struct fakewal *wal)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= FAKE_PAGES; i++)
		sum ^= wal->hashes[i];
	return sum;
}

static inline void fakewal_commit(struct fakewal *wal, uint64_t txid)
{
	uint32_t n = (uint32_t)(txid % 3) + 1;
	struct lsv_commit commit = {.txid = txid,
	                            .time_ns = (int64_t)(1000 + txid),
	                            .db_pages = FAKE_PAGES};

	for (uint32_t i = 0; i < n; i++)
		fakewal_frame(wal, (uint32_t)(txid + i) % FAKE_PAGES + 1,
		              i + 1 == n ? FAKE_PAGES : 0);
	commit.end = wal->bytes.n;
	commit.page_hash = fakewal_sum(wal);
	memcpy(commit.checksum, wal->checksum, sizeof commit.checksum);
	ck_assert_int_eq(lsv_commits_append(&wal->commits, commit), 0);
}

/* n commits, the first with 'first_txid', behind the header in 'header'. */
static inline void fakewal_make(struct fakewal *wal,
                                const struct lsv_wal_header *header,
                                uint64_t first_txid, uint32_t n)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];

	memset(wal, 0, sizeof *wal);
	wal->header = *header;
	lsv_wal_header_encode(&wal->header, bytes);
	memcpy(wal->checksum, wal->header.checksum, sizeof wal->checksum);
	ck_assert_int_eq(lsv_buf_append(&wal->bytes, bytes, sizeof bytes), 0);
	for (uint32_t i = 0; i < n; i++)
		fakewal_commit(wal, first_txid + i);
}

static inline void fakewal_free(struct fakewal *wal)
{
	lsv_buf_free(&wal->bytes);
	free(wal->commits.at);
}

#endif
