/* SPDX-License-Identifier: MIT */
#include "tools/human.h"

#include "replica/base/clock.h"
#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The digits that a span of this size does not need. */
static int64_t cut(int64_t ns)
{
	static const struct {
		int64_t above, unit;
	} steps[] = {
		{10 * LSV_NS_PER_S, LSV_NS_PER_S},
		{LSV_NS_PER_S, LSV_NS_PER_S / 10},
		{LSV_NS_PER_MS, LSV_NS_PER_MS},
		{1000, 1000},
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (llabs(ns) > steps[i].above)
			return ns - ns % steps[i].unit;
	return ns;
}

/* "<hours>h<minutes>m<seconds>s" from the first one that is not 0. */
static int clock_span(int64_t ns, char *text)
{
	int64_t seconds = ns / LSV_NS_PER_S;
	int tenths = (int)(ns % LSV_NS_PER_S / (LSV_NS_PER_S / 10));
	int n = 0;

	if (seconds >= 3600)
		n += sprintf(text, "%" PRId64 "h", seconds / 3600);
	if (seconds >= 60)
		n += sprintf(text + n, "%" PRId64 "m", seconds / 60 % 60);
	n += sprintf(text + n, "%" PRId64, seconds % 60);
	return n + sprintf(text + n, tenths ? ".%ds" : "s", tenths);
}

void human_span(int64_t ns, char text[HUMAN_SPAN_TEXT])
{
	int64_t left = llabs(cut(ns));

	if (ns < 0)
		*text++ = '-';
	if (left >= LSV_NS_PER_S)
		clock_span(left, text);
	else if (left >= LSV_NS_PER_MS)
		sprintf(text, "%" PRId64 "ms", left / LSV_NS_PER_MS);
	else if (left >= 1000)
		sprintf(text, "%" PRId64 "\xc2\xb5s", left / 1000);
	else
		sprintf(text, left ? "%" PRId64 "ns" : "0s", left);
}

void human_time(int64_t ns, char text[HUMAN_TIME_TEXT])
{
	char whole[LSV_TIME_TEXT_SIZE];

	lsv_time_format(ns, whole);
	snprintf(text, HUMAN_TIME_TEXT, "%.19sZ", whole);
}

void human_size(uint64_t n_bytes, char text[HUMAN_SIZE_TEXT])
{
	if (isatty(STDOUT_FILENO))
		progress_size(n_bytes, text);
	else
		snprintf(text, HUMAN_SIZE_TEXT, "%" PRIu64, n_bytes);
}

bool human_has_colours(void)
{
	const char *forbidden = getenv("NO_COLOR"), *term = getenv("TERM");

	return (!forbidden || !*forbidden) && term && *term &&
	       strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}
