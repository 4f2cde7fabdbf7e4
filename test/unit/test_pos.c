/* SPDX-License-Identifier: MIT */
#include "replica/wal/pos.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

START_TEST(a_generation_reads_back_as_it_was_written)
{
	static const struct {
		uint64_t value;
		const char *text;
	} table[] = {
		{1, "0000000000000001"},
		{UINT64_C(0x0123456789abcdef), "0123456789abcdef"},
		{UINT64_MAX, "ffffffffffffffff"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[LSV_GENERATION_SIZE];
		uint64_t value = 0;

		lsv_generation_format(table[i].value, text);
		ck_assert_str_eq(text, table[i].text);
		ck_assert_int_eq(lsv_generation_parse(text, 16, &value), 0);
		ck_assert(value == table[i].value);
	}
}
END_TEST

START_TEST(anything_but_sixteen_lower_case_hex_digits_is_no_generation)
{
	static const char *const table[] = {
		"",
		"0123456789abcde",
		"0123456789abcdef0",
		"0123456789ABCDEF",
		"0123456789abcdeg",
		" 123456789abcdef",
		"0x23456789abcdef",
		"01234567-9abcdef",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint64_t value = 42;

		ck_assert_int_eq(lsv_generation_parse(table[i],
		                                      strlen(table[i]), &value),
		                 -EINVAL);
		ck_assert_msg(value == 42, "%s", table[i]);
	}
}
END_TEST

START_TEST(eight_hex_digits_are_an_index_whatever_follows)
{
	uint32_t value = 42;

	ck_assert_int_eq(lsv_hex32_parse("0000001f_00001000", &value), 0);
	ck_assert_uint_eq(value, 0x1f);
	ck_assert_int_eq(lsv_hex32_parse("ffffffff", &value), 0);
	ck_assert_uint_eq(value, UINT32_MAX);
}
END_TEST

START_TEST(fewer_digits_or_others_are_no_index)
{
	static const char *const table[] = {
		"", "0000001", "0000001_", "0000001F", "+0000001", "0x000001",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint32_t value = 42;

		ck_assert_int_eq(lsv_hex32_parse(table[i], &value), -EINVAL);
		ck_assert_uint_eq(value, 42);
	}
}
END_TEST

START_TEST(a_position_is_generation_index_offset)
{
	struct lsv_pos pos = {UINT64_C(0x0123456789abcdef), 0x1f, 0x1234};
	char text[LSV_POS_TEXT_SIZE];

	lsv_pos_format(&pos, text);
	ck_assert_str_eq(text, "0123456789abcdef/0000001f:00001234");
}
END_TEST

START_TEST(a_position_reads_back_as_it_was_written)
{
	static const struct lsv_pos table[] = {
		{1, 2, 3},
		{UINT64_C(0x0123456789abcdef), 0x1f, UINT64_C(0x123456789)},
		{UINT64_MAX, UINT32_MAX, UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[LSV_POS_TEXT_SIZE];
		struct lsv_pos pos = {0};

		lsv_pos_format(&table[i], text);
		ck_assert_int_eq(lsv_pos_parse(text, &pos), 0);
		ck_assert_uint_eq(pos.generation, table[i].generation);
		ck_assert_int_eq(lsv_pos_compare(&pos, &table[i]), 0);
	}
}
END_TEST

START_TEST(anything_else_is_no_position)
{
	static const char *const table[] = {
		"",
		"0123456789abcdef",
		"0123456789abcdef/0000001f",
		"0123456789abcdef/0000001f:",
		"0123456789abcdef/0000001f:0001234",
		"0123456789abcdef/0000001f:00001234 ",
		"0123456789abcdef/0000001f:0000123456789abcd",
		"0123456789abcdef:0000001f:00001234",
		"0123456789abcde/00000001f:00001234",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_pos pos = {0};

		ck_assert_int_eq(lsv_pos_parse(table[i], &pos), -EINVAL);
		ck_assert_uint_eq(pos.generation, 0);
	}
}
END_TEST

START_TEST(the_largest_position_fits_its_text)
{
	struct lsv_pos pos = {UINT64_MAX, UINT32_MAX, UINT64_MAX};
	char text[LSV_POS_TEXT_SIZE];

	lsv_pos_format(&pos, text);
	ck_assert_str_eq(text, "ffffffffffffffff/ffffffff:ffffffffffffffff");
}
END_TEST

START_TEST(positions_order_by_index_then_offset)
{
	static const struct lsv_pos rising[] = {
		{1, 0, 0}, {1, 0, 32},         {1, 0, UINT64_C(0x100000000)},
		{1, 1, 0}, {1, UINT32_MAX, 0}, {1, UINT32_MAX, UINT64_MAX},
	};
	const int n = sizeof rising / sizeof *rising;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			int order = lsv_pos_compare(&rising[i], &rising[j]);

			ck_assert_int_eq((order > 0) - (order < 0),
			                 (i > j) - (i < j));
		}
}
END_TEST

UNIT(pos, a_generation_reads_back_as_it_was_written,
     anything_but_sixteen_lower_case_hex_digits_is_no_generation,
     eight_hex_digits_are_an_index_whatever_follows,
     fewer_digits_or_others_are_no_index, a_position_is_generation_index_offset,
     a_position_reads_back_as_it_was_written, anything_else_is_no_position,
     the_largest_position_fits_its_text, positions_order_by_index_then_offset)
