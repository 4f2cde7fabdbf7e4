/* SPDX-License-Identifier: MIT */
#include "replica/restore/pages.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <string.h>

#define PAGE_SIZE 65536
#define MAX_RUN ((size_t)3)
#define N_PAGES 300 /* 19 MB: more than stays in memory */

static void fill(uint8_t *page, size_t i)
{
	memset(page, (int)(i % 251), PAGE_SIZE);
	memcpy(page, &i, sizeof i);
}

static void add_all(struct lsv_pages *pages)
{
	static uint8_t page[PAGE_SIZE];

	for (size_t i = 0; i < N_PAGES; i++) {
		struct lsv_page_ref ref = {(uint32_t)i + 1, 0};

		fill(page, i);
		ck_assert_int_eq(lsv_pages_add(pages, &ref, page), 0);
	}
}

/* In runs of n pages. */
static void check_all(const struct lsv_pages *pages, size_t n)
{
	static uint8_t expected[PAGE_SIZE], buf[MAX_RUN * PAGE_SIZE];

	for (size_t i = 0; i + n <= N_PAGES; i++) {
		ck_assert_int_eq(lsv_pages_copy(pages, i, n, buf), 0);
		for (size_t k = 0; k < n; k++) {
			fill(expected, i + k);
			ck_assert_int_eq(memcmp(buf + k * PAGE_SIZE, expected,
			                        PAGE_SIZE),
			                 0);
		}
	}
}

START_TEST(pages_read_back_from_memory_and_from_the_file)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pages pages;

	lsv_pages_init(&pages, dir, PAGE_SIZE);
	/* Twice: a second segment takes the place of the first. */
	for (int round = 0; round < 2; round++) {
		lsv_pages_reset(&pages);
		add_all(&pages);
		ck_assert_uint_gt(pages.n_spooled, 0);
		ck_assert_uint_lt(pages.n_spooled, N_PAGES);
		/* One by one and in runs, some of them across the border. */
		for (size_t n = 1; n <= MAX_RUN; n += MAX_RUN - 1)
			check_all(&pages, n);
	}
	ck_assert_int_eq(scratch_count(dir), 0);
	lsv_pages_free(&pages);
}
END_TEST

UNIT(pages, pages_read_back_from_memory_and_from_the_file)
