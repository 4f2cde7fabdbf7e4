/* SPDX-License-Identifier: MIT */
#include "vfs/logging.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/base/quote.h"
#include "replica/ship/config_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define PATH_SIZE 4096

/* Set under the mutex of who reads the configuration; lines come from any
 * thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char path[PATH_SIZE]; /* "": stderr */
static bool is_json, is_syslog;

static const char *const words[] = {"OFF", "ERROR", "WARN", "INFO", "DEBUG"};

/* One write for one line, so that those of several processes stay whole.  A
 * file is opened for each: it may have been rotated away. */
static void put(const char *text, size_t n)
{
	auto_close int fd =
		*path ? lsv_open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY,
	                         0640)
		      : -1;

	/* Nothing can be done about a log that cannot be written; stderr is
	 * the next best place. */
	(void)lsv_write(fd >= 0 ? fd : STDERR_FILENO, text, n);
}

static void put_json(enum lsv_log_level level, const char *line)
{
	char time[LSV_TIME_TEXT_SIZE];
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return;
	lsv_time_format(lsv_clock_ns(), time);
	fprintf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", time,
	        words[level]);
	lsv_quote_json(out, line);
	fputs("}\n", out);
	if (fclose(out) == 0)
		put(text, n);
	free(text);
}

static void put_text(enum lsv_log_level level, const char *line)
{
	char time[LSV_TIME_TEXT_SIZE];
	auto_free char *text = NULL;

	lsv_time_format(lsv_clock_ns(), time);
	/* stderr has its time from whoever keeps it. */
	text = *path ? lsv_sprintf("%s %s %s\n", time, words[level], line)
	             : lsv_sprintf("lsvfs: %s: %s\n", lsv_log_level_text(level),
	                           line);
	if (text)
		put(text, strlen(text));
}

static void sink(void *arg, enum lsv_log_level level, const char *line)
{
	static const int priorities[] = {LOG_ERR, LOG_ERR, LOG_WARNING,
	                                 LOG_INFO, LOG_DEBUG};
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	(void)arg;
	/* Without openlog(): that one is the application's. */
	if (is_syslog)
		syslog(LOG_DAEMON | priorities[level], "lsvfs: %s", line);
	else if (is_json)
		put_json(level, line);
	else
		put_text(level, line);
}

static void lock_for_fork(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&mutex);
}

static void prepare_for_fork(void)
{
	pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
}

void lsv_logging_apply(const struct lsv_logging *logging)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static enum lsv_log_level usual;
	static bool is_ours;
	const char *level = getenv("LSVFS_LOG");

	if (!is_ours && !lsv_log_is_default())
		return;
	pthread_once(&once, prepare_for_fork);
	pthread_mutex_lock(&mutex);
	snprintf(path, sizeof path, "%s", logging->file ? logging->file : "");
	is_json = logging->is_json;
	is_syslog = logging->is_syslog;
	pthread_mutex_unlock(&mutex);
	if (!is_ours) {
		usual = lsv_log_level();
		lsv_log_set_sink(sink, NULL);
	}
	is_ours = true;
	if (!level || !*level)
		lsv_log_set_level(logging->has_level ? logging->level : usual);
}
