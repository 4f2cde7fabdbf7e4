/* SPDX-License-Identifier: MIT */
#include "replica/wal/frame.h"
#include "replica/wal/pagehash.h"
#include "test/lib/unit.h"

#include <string.h>

static uint8_t page[LSV_PAGE_SIZE_MAX];

static void fill_page(void)
{
	for (size_t i = 0; i < sizeof page; i++)
		page[i] = (uint8_t)(i * 7 + i / 256);
}

/* XXH3_64bits_withSeed() of libxxhash 0.8.1: what replicas hold for ever. */
START_TEST(a_page_has_this_hash_on_every_machine_for_ever)
{
	static const struct {
		uint32_t page_no;
		size_t page_size;
		uint64_t hash;
	} table[] = {
		{1, 512, UINT64_C(0xafd2cfe1112a71fc)},
		{2, 512, UINT64_C(0xbd639e2837cc51cc)},
		{1, 1024, UINT64_C(0xc07f227ad7f947e5)},
		{2, 1024, UINT64_C(0x564c36fa669e3156)},
		{1, 4096, UINT64_C(0x4cc7048dab1bfccc)},
		{2, 4096, UINT64_C(0x92fe465741cdd0bb)},
		{1, 65536, UINT64_C(0xf6a6cf53be604d35)},
		{2, 65536, UINT64_C(0x8d2f0fa18ac3eb03)},
	};

	fill_page();
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint64_t hash = lsv_page_hash(table[i].page_no, page,
		                              table[i].page_size);

		ck_assert_msg(hash == table[i].hash, "page %u of %zu",
		              (unsigned)table[i].page_no, table[i].page_size);
	}
}
END_TEST

START_TEST(pages_that_change_places_change_the_checksum)
{
	static const uint8_t zeros[4096];
	uint64_t straight, swapped;

	fill_page();
	straight = lsv_page_hash(1, page, 4096) ^ lsv_page_hash(2, zeros, 4096);
	swapped = lsv_page_hash(1, zeros, 4096) ^ lsv_page_hash(2, page, 4096);
	ck_assert(straight != swapped);
}
END_TEST

START_TEST(equal_pages_do_not_cancel_each_other)
{
	static const uint8_t zeros[4096];

	ck_assert(lsv_page_hash(1, zeros, 4096) !=
	          lsv_page_hash(2, zeros, 4096));
}
END_TEST

START_TEST(the_lock_byte_page_counts_nothing)
{
	static const struct {
		size_t page_size;
		uint32_t lock_page;
	} table[] = {
		{512, 2097153}, {1024, 1048577}, {2048, 524289}, {4096, 262145},
		{8192, 131073}, {16384, 65537},  {32768, 32769}, {65536, 16385},
	};

	fill_page();
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint32_t lock_page = table[i].lock_page;
		size_t n = table[i].page_size;

		ck_assert_uint_eq(lsv_lock_page((uint32_t)n), lock_page);
		ck_assert(lsv_page_hash(lock_page, page, n) == 0);
		ck_assert(lsv_page_hash(lock_page - 1, page, n) != 0);
		ck_assert(lsv_page_hash(lock_page + 1, page, n) != 0);
	}
}
END_TEST

/* As xxHash's specification has them; however the bytes come. */
START_TEST(xxh32_is_that_of_everybody)
{
	static const struct {
		const char *text;
		uint32_t value;
	} cases[] = {
		{"", 0x02cc5d05},
		{"a", 0x550d7456},
		{"abc", 0x32d153ff},
	};
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lsv_xxh32 *hash = lsv_xxh32_open();

		for (const char *p = cases[i].text; *p; p++)
			lsv_xxh32_add(hash, p, 1);
		ck_assert_uint_eq(lsv_xxh32_value(hash), cases[i].value);
		lsv_xxh32_close(hash);
	}
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		struct lsv_xxh32 *whole = lsv_xxh32_open();
		struct lsv_xxh32 *pieces = lsv_xxh32_open();

		lsv_xxh32_add(whole, bytes, sizeof bytes);
		lsv_xxh32_add(pieces, bytes, cut);
		lsv_xxh32_add(pieces, bytes + cut, sizeof bytes - cut);
		ck_assert_uint_eq(lsv_xxh32_value(whole),
		                  lsv_xxh32_value(pieces));
		lsv_xxh32_close(whole);
		lsv_xxh32_close(pieces);
	}
}
END_TEST

UNIT(pagehash, xxh32_is_that_of_everybody,
     a_page_has_this_hash_on_every_machine_for_ever,
     pages_that_change_places_change_the_checksum,
     equal_pages_do_not_cancel_each_other, the_lock_byte_page_counts_nothing)
