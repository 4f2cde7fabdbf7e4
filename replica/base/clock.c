/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * LSV_NS_PER_S + ts.tv_nsec;
}

int64_t lsv_clock_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t lsv_clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void lsv_time_format(int64_t ns, char text[LSV_TIME_TEXT_SIZE])
{
	int64_t fraction = ns % LSV_NS_PER_S;
	time_t seconds = (time_t)(ns / LSV_NS_PER_S);
	struct tm tm;
	size_t n;

	if (fraction < 0) {
		fraction += LSV_NS_PER_S;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	n = strftime(text, LSV_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, LSV_TIME_TEXT_SIZE - n, ".%09dZ", (int)fraction);
}

/* Exactly n digits. */
static bool digits(const char **p, int n, int *value)
{
	*value = 0;
	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

static bool literal(const char **p, const char *one_of)
{
	if (!**p || !strchr(one_of, **p))
		return false;
	(*p)++;
	return true;
}

static bool parse_date(const char **p, struct tm *tm)
{
	return digits(p, 4, &tm->tm_year) && literal(p, "-") &&
	       digits(p, 2, &tm->tm_mon) && literal(p, "-") &&
	       digits(p, 2, &tm->tm_mday);
}

static bool parse_clock(const char **p, struct tm *tm)
{
	return digits(p, 2, &tm->tm_hour) && literal(p, ":") &&
	       digits(p, 2, &tm->tm_min) && literal(p, ":") &&
	       digits(p, 2, &tm->tm_sec);
}

static bool parse_fraction(const char **p, int64_t *fraction)
{
	int64_t unit = LSV_NS_PER_S / 10;

	*fraction = 0;
	if (**p != '.')
		return true;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++, unit /= 10)
		*fraction += (**p - '0') * unit;
	return true;
}

static bool parse_offset(const char **p, int64_t *offset_s)
{
	int hours, minutes, sign;

	*offset_s = 0;
	if (literal(p, "Zz"))
		return true;
	sign = **p == '-' ? -1 : 1;
	if (!literal(p, "+-") || !digits(p, 2, &hours) || !literal(p, ":") ||
	    !digits(p, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_s = INT64_C(60) * sign * (hours * 60 + minutes);
	return true;
}

/* Seconds since 1970; false when the calendar has no such moment. */
static bool calendar(struct tm *tm, int64_t *seconds)
{
	struct tm same;
	time_t t;

	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	same = *tm;
	t = timegm(&same);
	*seconds = t;
	return same.tm_mon == tm->tm_mon && same.tm_mday == tm->tm_mday &&
	       same.tm_hour == tm->tm_hour && same.tm_min == tm->tm_min &&
	       same.tm_sec == tm->tm_sec;
}

int lsv_time_parse(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	int64_t fraction, offset_s, seconds, result;

	if (!parse_date(&text, &tm) || !literal(&text, "Tt ") ||
	    !parse_clock(&text, &tm) || !parse_fraction(&text, &fraction) ||
	    !parse_offset(&text, &offset_s) || *text ||
	    !calendar(&tm, &seconds))
		return -EINVAL;
	if (__builtin_mul_overflow(seconds - offset_s, LSV_NS_PER_S, &result) ||
	    __builtin_add_overflow(result, fraction, &result))
		return -EINVAL;
	*ns = result;
	return 0;
}

static int64_t duration_unit(const char **p)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{"ns", 1},
		{"us", 1000},
		{"\xc2\xb5s", 1000},
		{"\xce\xbcs", 1000},
		{"ms", LSV_NS_PER_MS},
		{"s", LSV_NS_PER_S},
		{"m", 60 * LSV_NS_PER_S},
		{"h", 3600 * LSV_NS_PER_S},
	};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(*p, units[i].name, n) == 0) {
			*p += n;
			return units[i].ns;
		}
	}
	return 0;
}

/* One number with its unit. */
static bool duration_part(const char **p, int64_t *ns)
{
	int64_t whole = 0, billionths = 0, scale = LSV_NS_PER_S, unit, part;
	bool any = false;

	for (; isdigit((unsigned char)**p); (*p)++, any = true)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, **p - '0', &whole))
			return false;
	if (**p == '.')
		for ((*p)++; isdigit((unsigned char)**p); (*p)++, any = true)
			billionths += (**p - '0') * (scale /= 10);
	unit = duration_unit(p);
	if (!any || !unit || __builtin_mul_overflow(whole, unit, &whole))
		return false;
	part = (int64_t)((double)billionths * (double)unit / 1e9 + 0.5);
	return !__builtin_add_overflow(whole, part, ns);
}

int lsv_duration_parse(const char *text, int64_t *ns)
{
	int64_t sum = 0, part;

	if (strcmp(text, "0") == 0) {
		*ns = 0;
		return 0;
	}
	do {
		if (!duration_part(&text, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return -EINVAL;
	} while (*text);
	*ns = sum;
	return 0;
}
