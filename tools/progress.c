/* SPDX-License-Identifier: MIT */
#include "tools/progress.h"

#include "replica/base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define QUIET_NS LSV_NS_PER_S
#define BETWEEN_NS (200 * LSV_NS_PER_MS)

void progress_begin(struct progress *progress, const char *verb)
{
	*progress = (struct progress){
		.verb = verb,
		.is_shown = isatty(STDERR_FILENO),
		.began_ns = lsv_clock_mono_ns(),
	};
}

void progress_size(uint64_t n_bytes, char text[PROGRESS_SIZE_TEXT])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double size = (double)n_bytes;
	size_t unit = 0;

	for (; size >= 999.95 && unit + 1 < sizeof units / sizeof *units;
	     unit++)
		size /= 1000;
	snprintf(text, PROGRESS_SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", size,
	         units[unit]);
}

void progress_draw(struct progress *p, uint64_t done, uint64_t total)
{
	char of[PROGRESS_SIZE_TEXT], so_far[PROGRESS_SIZE_TEXT];
	int64_t now;

	if (!p->is_shown)
		return;
	now = lsv_clock_mono_ns();
	if (now - p->began_ns < QUIET_NS || now - p->drawn_ns < BETWEEN_NS)
		return;
	progress_size(done, so_far);
	progress_size(total, of);
	fprintf(stderr, "\r\033[K%s: %s of %s, %d %%", p->verb, so_far, of,
	        total ? (int)(100.0 * (double)done / (double)total) : 100);
	fflush(stderr);
	p->drawn_ns = now;
	p->has_line = true;
}

void progress_end(struct progress *p)
{
	if (p->has_line)
		fputs("\r\033[K", stderr);
	p->has_line = false;
}
