/* SPDX-License-Identifier: MIT */
#ifndef LSV_LOG_H
#define LSV_LOG_H

/*
 * One sink for what a person should know.  A line is "verb object: reason",
 * lower case, no full stop, never a credential (I15).  log_error() and
 * log_warn() are 'err', so that to log and to return is one statement:
 *
 *	return log_error(-errno, "cannot open %s", path);
 *
 * A negative err is appended as ": <its text>"; 0 appends nothing.
 */

#include <stdbool.h>

enum lsv_log_level {
	LSV_LOG_OFF,
	LSV_LOG_ERROR,
	LSV_LOG_WARN,
	LSV_LOG_INFO,
	LSV_LOG_DEBUG
};

/* "error" and so on; static. */
const char *lsv_log_level_text(enum lsv_log_level level);

typedef void lsv_log_sink(void *arg, enum lsv_log_level level,
                          const char *line);

/* The default sink writes "lsvfs: <level>: <line>\n" to stderr in one write.
 * NULL restores it. */
void lsv_log_set_sink(lsv_log_sink *sink, void *arg);
bool lsv_log_is_default(void); /* the sink */

/* Lines above 'level' are dropped before they are formatted. */
void lsv_log_set_level(enum lsv_log_level level);
enum lsv_log_level lsv_log_level(void);

/* "off", "error", "warn", "info" or "debug"; -EINVAL for anything else. */
int lsv_log_parse_level(const char *text, enum lsv_log_level *level);

/* The level from $LSVFS_LOG's text; NULL or empty changes nothing.  -EINVAL:
 * not a level (not logged). */
int lsv_log_configure(const char *text);

void lsv_log(enum lsv_log_level level, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* So that compilers and analyzers, too, see that err comes back. */
#define lsv_log_and_return(level, err, ...)                                    \
	__extension__({                                                        \
		int err_ = (err);                                              \
                                                                               \
		lsv_log((level), err_, __VA_ARGS__);                           \
		err_;                                                          \
	})
#define log_error(err, ...)                                                    \
	lsv_log_and_return(LSV_LOG_ERROR, (err), __VA_ARGS__)
#define log_warn(err, ...) lsv_log_and_return(LSV_LOG_WARN, (err), __VA_ARGS__)
#define log_info(...) lsv_log(LSV_LOG_INFO, 0, __VA_ARGS__)
#define log_debug(...) lsv_log(LSV_LOG_DEBUG, 0, __VA_ARGS__)

#endif
