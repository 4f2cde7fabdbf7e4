/* SPDX-License-Identifier: MIT */
#ifndef LSV_CLOCK_H
#define LSV_CLOCK_H

/* Time of day as nanoseconds since 1970 UTC, and its text in RFC 3339. */

#include <stdint.h>

#define LSV_NS_PER_S INT64_C(1000000000)
#define LSV_NS_PER_MS INT64_C(1000000)
#define LSV_NS_PER_US INT64_C(1000)

/* "2026-11-24T14:29:14.123456789Z" and the final zero. */
#define LSV_TIME_TEXT_SIZE 36

int64_t lsv_clock_ns(void);      /* time of day, UTC */
int64_t lsv_clock_mono_ns(void); /* never steps; unrelated to the time of day */

/* RFC 3339 in UTC with nine digits of fraction. */
void lsv_time_format(int64_t ns, char text[LSV_TIME_TEXT_SIZE]);

/* Parses RFC 3339: "T", "t" or a space between date and time, up to nine
 * digits of fraction (more are cut), "Z" or an offset.  -EINVAL: not that, or
 * not a date of the calendar. */
int lsv_time_parse(const char *text, int64_t *ns);

/* Parses a duration as Go writes it ("1s", "100ms", "1h30m", "1.5s", "0").
 * -EINVAL: not that, negative, or too long for 64 bits of ns. */
int lsv_duration_parse(const char *text, int64_t *ns);

#endif
