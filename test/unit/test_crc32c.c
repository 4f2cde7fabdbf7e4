/* SPDX-License-Identifier: MIT */
#include "replica/base/crc32c.h"
#include "test/lib/unit.h"

#include <string.h>

/* The vectors of RFC 3720, appendix B.4. */
START_TEST(the_crc_is_castagnolis)
{
	uint8_t bytes[32] = {0};

	ck_assert_uint_eq(lsv_crc32c("", 0), 0);
	ck_assert_uint_eq(lsv_crc32c("123456789", 9), 0xe3069283);
	ck_assert_uint_eq(lsv_crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_uint_eq(lsv_crc32c(bytes, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	ck_assert_uint_eq(lsv_crc32c(bytes, 32), 0x46dd794e);
}
END_TEST

START_TEST(processors_agree)
{
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; at + n <= sizeof bytes; n++)
			ck_assert_uint_eq(lsv_crc32c(bytes + at, n),
			                  lsv_crc32c_portable(bytes + at, n));
	ck_assert_uint_eq(lsv_crc32c_portable("123456789", 9), 0xe3069283);
}
END_TEST

UNIT(crc32c, the_crc_is_castagnolis, processors_agree)
