/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <string.h>

#define S LSV_NS_PER_S

START_TEST(a_moment_reads_as_rfc_3339_says)
{
	static const struct {
		const char *text;
		int64_t ns;
	} table[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.000000001Z", 1},
		{"1969-12-31T23:59:59.5Z", -S / 2},
		{"2026-11-24T14:29:14Z", 1795530554 * S},
		{"2026-11-24t14:29:14z", 1795530554 * S},
		{"2026-11-24 14:29:14Z", 1795530554 * S},
		{"2026-11-24T15:29:14+01:00", 1795530554 * S},
		{"2026-11-24T08:59:14-05:30", 1795530554 * S},
		{"2026-11-24T14:29:14+00:00", 1795530554 * S},
		{"2026-11-24T14:29:14-00:00", 1795530554 * S},
		{"2026-11-24T14:29:14.123456789Z", 1795530554 * S + 123456789},
		/* more digits than a nanosecond has are cut, not rounded */
		{"2026-11-24T14:29:14.1234567899Z", 1795530554 * S + 123456789},
		{"2026-11-24T14:29:14.1Z", 1795530554 * S + 100000000},
		{"2024-02-29T00:00:00Z", 1709164800 * S},
		{"2000-02-29T23:59:59Z", 951868799 * S},
		{"2262-04-11T23:47:16.854775807Z", INT64_MAX},
		{"1677-09-21T00:12:44Z", INT64_MIN / S * S},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t ns = 42;

		ck_assert_msg(lsv_time_parse(table[i].text, &ns) == 0, "%s",
		              table[i].text);
		ck_assert_msg(ns == table[i].ns, "%s: %lld", table[i].text,
		              (long long)ns);
	}
}
END_TEST

START_TEST(anything_else_is_no_moment)
{
	static const char *const table[] = {
		"",
		"now",
		"2026-11-24",
		"2026-11-24T14:29",
		"2026-11-24T14:29:14",
		"2026-11-24T14:29:14Z ",
		" 2026-11-24T14:29:14Z",
		"2026-11-24T14:29:14ZZ",
		"2026-11-24_14:29:14Z",
		"26-11-24T14:29:14Z",
		"2026-11-24T14:29:14.Z",
		"2026-11-24T14:29:14,5Z",
		"2026-11-24T14:29:14+0100",
		"2026-11-24T14:29:14+01",
		"2026-11-24T14:29:14+24:00",
		"2026-11-24T14:29:14+01:60",
		"2026-11-24T14:29:14 Z",
		"2026-00-24T14:29:14Z",
		"2026-13-24T14:29:14Z",
		"2026-11-00T14:29:14Z",
		"2026-11-31T14:29:14Z",
		"2023-02-29T14:29:14Z",
		"2100-02-29T14:29:14Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T14:60:14Z",
		"2026-11-24T14:29:60Z",
		"2026-11-24T14:29:-1Z",
		/* of the calendar, but not of 64 bits of nanoseconds */
		"2262-04-11T23:47:16.854775808Z",
		"2262-04-11T23:47:17Z",
		"1677-09-21T00:12:43Z",
		"0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t ns = 42;

		ck_assert_msg(lsv_time_parse(table[i], &ns) == -EINVAL, "%s",
		              table[i]);
		ck_assert_msg(ns == 42, "%s", table[i]);
	}
}
END_TEST

START_TEST(a_moment_is_written_in_utc_with_nine_digits)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{-1, "1969-12-31T23:59:59.999999999Z"},
		{-S, "1969-12-31T23:59:59.000000000Z"},
		{1795530554 * S + 7, "2026-11-24T14:29:14.000000007Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
		{INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[LSV_TIME_TEXT_SIZE];

		lsv_time_format(table[i].ns, text);
		ck_assert_str_eq(text, table[i].text);
	}
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	/* a stride that visits all digits, over the years 1677 to 2262 */
	const int64_t stride = INT64_C(9007199254740993);

	for (int64_t ns = INT64_MIN + S; ns < INT64_MAX - stride;
	     ns += stride) {
		char text[LSV_TIME_TEXT_SIZE];
		int64_t back = 0;

		lsv_time_format(ns, text);
		ck_assert_int_eq(lsv_time_parse(text, &back), 0);
		ck_assert_msg(back == ns, "%s", text);
	}
}
END_TEST

START_TEST(a_duration_reads_as_go_writes_it)
{
	static const struct {
		const char *text;
		int64_t ns;
	} table[] = {
		{"0", 0},
		{"0s", 0},
		{"1ns", 1},
		{"1us", 1000},
		{"1\xc2\xb5s", 1000}, /* micro sign */
		{"1\xce\xbcs", 1000}, /* Greek mu */
		{"100ms", 100 * LSV_NS_PER_MS},
		{"1s", S},
		{"1.5s", 3 * S / 2},
		{".5s", S / 2},
		{"1.s", S},
		{"1m", 60 * S},
		{"1h", 3600 * S},
		{"24h", 24 * 3600 * S},
		{"1h30m", 5400 * S},
		{"1h0m0.001s", 3600 * S + LSV_NS_PER_MS},
		{"30m1h", 5400 * S},
		{"0.000000001s", 1},
		{"0.1h", 360 * S},
		{"2562047h47m16.854775807s", INT64_MAX},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t ns = 42;

		ck_assert_msg(lsv_duration_parse(table[i].text, &ns) == 0, "%s",
		              table[i].text);
		ck_assert_msg(ns == table[i].ns, "%s: %lld", table[i].text,
		              (long long)ns);
	}
}
END_TEST

START_TEST(anything_else_is_no_duration)
{
	static const char *const table[] = {
		"",
		"1",
		"s",
		".s",
		".",
		"-1s",
		"+1s",
		"1 s",
		"1s ",
		" 1s",
		"1S",
		"1d",
		"1h30",
		"1.5.5s",
		"1e3s",
		"0x1s",
		"00",
		"9223372036.9s",
		"9223372037s",
		"2562048h",
		"2562047h47m16.854775808s",
		"99999999999999999999s",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t ns = 42;

		ck_assert_msg(lsv_duration_parse(table[i], &ns) == -EINVAL,
		              "%s", table[i]);
		ck_assert_msg(ns == 42, "%s", table[i]);
	}
}
END_TEST

START_TEST(the_clocks_run)
{
	int64_t mono = lsv_clock_mono_ns();

	ck_assert(lsv_clock_ns() > 1700000000 * S);
	ck_assert(lsv_clock_mono_ns() >= mono);
}
END_TEST

UNIT(clock, a_moment_reads_as_rfc_3339_says, anything_else_is_no_moment,
     a_moment_is_written_in_utc_with_nine_digits, what_is_written_reads_back,
     a_duration_reads_as_go_writes_it, anything_else_is_no_duration,
     the_clocks_run)
