/* SPDX-License-Identifier: MIT */
#include "replica/base/log.h"

#include "replica/base/fileio.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 2048

static const char *const names[] = {"off", "error", "warn", "info", "debug"};

static void to_stderr(void *arg, enum lsv_log_level level, const char *line)
{
	char text[LINE_SIZE + 32];
	int n = snprintf(text, sizeof text, "lsvfs: %s: %s\n", names[level],
	                 line);

	(void)arg;
	/* One write, so that lines of several processes stay whole; nothing
	 * can be done about a stderr that is closed. */
	if (n > 0)
		(void)lsv_write(STDERR_FILENO, text, (size_t)n);
}

static _Atomic(int) threshold = LSV_LOG_ERROR;
static lsv_log_sink *sink_fn = to_stderr;
static void *sink_arg;

void lsv_log_set_sink(lsv_log_sink *sink, void *arg)
{
	sink_fn = sink ? sink : to_stderr;
	sink_arg = arg;
}

bool lsv_log_is_default(void)
{
	return sink_fn == to_stderr;
}

const char *lsv_log_level_text(enum lsv_log_level level)
{
	return names[level];
}

void lsv_log_set_level(enum lsv_log_level level)
{
	atomic_store(&threshold, (int)level);
}

enum lsv_log_level lsv_log_level(void)
{
	return (enum lsv_log_level)atomic_load(&threshold);
}

int lsv_log_parse_level(const char *text, enum lsv_log_level *level)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*level = (enum lsv_log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int lsv_log_configure(const char *text)
{
	enum lsv_log_level level;
	int r;

	if (!text || !*text)
		return 0;
	r = lsv_log_parse_level(text, &level);
	if (r == 0)
		lsv_log_set_level(level);
	return r;
}

void lsv_log(enum lsv_log_level level, int err, const char *format, ...)
{
	char line[LINE_SIZE], reason[128];
	int saved = errno;
	va_list args;
	size_t n;

	if ((int)level > atomic_load(&threshold))
		return;
	va_start(args, format);
	/* Of long paths less, so that the reason is always there. */
	vsnprintf(line, sizeof line - (err < 0 ? sizeof reason : 0), format,
	          args);
	va_end(args);
	n = strlen(line);
	if (err < 0)
		snprintf(line + n, sizeof line - n, ": %s",
		         strerror_r(-err, reason, sizeof reason));
	sink_fn(sink_arg, level, line);
	errno = saved;
}
