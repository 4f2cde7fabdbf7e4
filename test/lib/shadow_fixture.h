/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_SHADOW_FIXTURE_H
#define LSV_TEST_SHADOW_FIXTURE_H

/* A shadow in the current folder, filled with commits that can be told from
 * each other. */

#include "replica/base/bytes.h"
#include "replica/spool/shadow.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define GENERATION UINT64_C(0x0123456789abcdef)
#define INDEX 7
#define MODE 0600

static const struct lsv_record base = {
	.commit = {.end = 4711,
                   .txid = 41,
                   .time_ns = 5,
                   .page_hash = 6,
                   .checksum = {1, 2},
                   .db_pages = 3},
	.real = {.frame = 9, .header = "twenty-four bytes of it"},
};

static inline void fill_page(uint8_t *page, uint32_t page_size, uint32_t seed)
{
	for (uint32_t i = 0; i < page_size; i++)
		page[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static inline void append(struct lsv_shadow *shadow, uint32_t page_no,
                          uint32_t db_pages, uint32_t seed)
{
	static uint8_t page[LSV_PAGE_SIZE_MAX];

	fill_page(page, lsv_shadow_page_size(shadow), seed);
	ck_assert_int_eq(lsv_shadow_append(shadow, page_no, db_pages, page), 0);
}

/* A commit of n frames, not written yet; its number says what is in them. */
static inline void collect(struct lsv_shadow *shadow, uint32_t number,
                           uint32_t n)
{
	struct lsv_real real = {.frame = number + 100};

	put_be32(real.header, number);
	for (uint32_t i = 0; i < n; i++)
		append(shadow, i + 1, i + 1 == n ? n + 10 : 0,
		       number * 1000 + i);
	ck_assert_int_eq(
		lsv_shadow_commit(shadow, number * 10, number * 100, &real), 0);
}

static inline void commit(struct lsv_shadow *shadow, uint32_t number,
                          uint32_t n)
{
	collect(shadow, number, n);
	ck_assert_int_eq(lsv_shadow_write(shadow), 0);
}

static inline struct lsv_shadow *create(uint32_t page_size)
{
	struct lsv_shadow *shadow = NULL;

	ck_assert_int_eq(lsv_shadow_create(".", GENERATION, INDEX, page_size,
	                                   &base, MODE, &shadow),
	                 0);
	return shadow;
}

static inline struct lsv_shadow *reopen(struct lsv_shadow *shadow)
{
	lsv_shadow_close(shadow);
	ck_assert_int_eq(lsv_shadow_open(".", GENERATION, INDEX, &shadow), 0);
	return shadow;
}

static inline uint64_t end_of(const struct lsv_shadow *shadow)
{
	return lsv_shadow_end(shadow)->commit.end;
}

static inline char *file_path(const char *suffix)
{
	return lsv_sprintf("%s/wal/%08x.%s", ".", INDEX, suffix);
}

static inline void file_load(const char *suffix, char **bytes, size_t *n)
{
	auto_free char *path = file_path(suffix);

	ck_assert_int_eq(lsv_file_read(path, SIZE_MAX, bytes, n), 0);
}

static inline void file_store(const char *suffix, const char *bytes, size_t n)
{
	auto_free char *path = file_path(suffix);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, MODE);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lsv_write(fd, bytes, n), 0);
}

struct seen {
	uint32_t n;
	uint32_t page_size;
	uint32_t first_number; /* of the first commit replayed */
	uint32_t n_each;
};

/* Expects commits of 'n_each' frames as commit() makes them. */
static inline int expect_frame(void *arg, const struct lsv_frame *frame,
                               const void *page)
{
	static uint8_t wanted[LSV_PAGE_SIZE_MAX];
	struct seen *seen = arg;
	uint32_t i = seen->n % seen->n_each;
	uint32_t number = seen->first_number + seen->n / seen->n_each;

	fill_page(wanted, seen->page_size, number * 1000 + i);
	ck_assert_mem_eq(page, wanted, seen->page_size);
	ck_assert_uint_eq(frame->page_no, i + 1);
	ck_assert_uint_eq(frame->db_pages,
	                  i + 1 == seen->n_each ? seen->n_each + 10 : 0);
	seen->n++;
	return 0;
}

static inline int replay(uint64_t from, uint64_t to, lsv_replay_fn *each,
                         void *arg)
{
	return lsv_shadow_replay(".", GENERATION, INDEX, from, to, each, arg);
}

#endif
