/* SPDX-License-Identifier: MIT */
#include "replica/base/bytes.h"
#include "replica/restore/backwards.h"
#include "replica/wal/frame.h"
#include "test/lib/unit.h"

#include <string.h>

START_TEST(a_frame_taken_back_leaves_the_checksum_it_continued)
{
	static const uint32_t sizes[] = {512, 4096, 65536};
	static uint8_t bytes[LSV_FRAME_HEADER_SIZE + LSV_PAGE_SIZE_MAX];
	uint32_t seed = 7;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((seed = seed * 1664525 + 1) >> 24);
	for (size_t k = 0; k < 6; k++) {
		bool big_endian = k % 2;
		uint32_t size = sizes[k / 2];
		struct lsv_frame frame = {.page_no = 9, .db_pages = 11};
		uint32_t s[2] = {0xfffffff0 + (uint32_t)k, 0x80000001};
		const uint32_t begin[2] = {s[0], s[1]};

		lsv_frame_encode(&frame, big_endian,
		                 bytes + LSV_FRAME_HEADER_SIZE, size, s, bytes);
		ck_assert_int_ne(memcmp(s, begin, sizeof s), 0);
		lsv_frame_backwards(big_endian, bytes, size, s);
		ck_assert_int_eq(memcmp(s, begin, sizeof s), 0);
	}
}
END_TEST

UNIT(backwards, a_frame_taken_back_leaves_the_checksum_it_continued)
