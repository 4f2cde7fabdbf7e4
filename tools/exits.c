/* SPDX-License-Identifier: MIT */
#include "tools/exits.h"

#include "replica/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum exits exits_of(int r)
{
	static const struct {
		int error;
		enum exits status;
	} table[] = {
		{0, EXITS_DONE},          {-EINVAL, EXITS_USAGE},
		{-ENOENT, EXITS_NOTHING}, {-EBADMSG, EXITS_DAMAGED},
		{-EEXIST, EXITS_EXISTS},  {-EBUSY, EXITS_EXISTS},
	};

	if (r == -ENOMEM)
		(void)log_error(0, "out of memory");
	if (r == -ECANCELED)
		(void)log_error(0, "interrupted, nothing was left behind");
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].error == r)
			return table[i].status;
	return EXITS_FAILED;
}

static void to_stderr(void *arg, enum lsv_log_level level, const char *line)
{
	static const char *const words[] = {
		[LSV_LOG_OFF] = "",           [LSV_LOG_ERROR] = "error: ",
		[LSV_LOG_WARN] = "warning: ", [LSV_LOG_INFO] = "",
		[LSV_LOG_DEBUG] = "debug: ",
	};

	(void)arg;
	fprintf(stderr, "%s%s\n", words[level], line);
}

void tools_log_init(void)
{
	const char *text = getenv("LSVFS_LOG");
	enum lsv_log_level level = LSV_LOG_WARN;

	lsv_log_set_sink(to_stderr, NULL);
	lsv_log_set_level(level);
	if (!text || !*text)
		return;
	if (lsv_log_parse_level(text, &level) < 0)
		(void)log_warn(0,
		               "LSVFS_LOG=%s: expected off, error, warn, info "
		               "or debug",
		               text);
	lsv_log_set_level(level);
}
