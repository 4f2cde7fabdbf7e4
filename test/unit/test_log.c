/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct seen {
	int n;
	enum lsv_log_level level;
	char line[4096];
};

static void see(void *arg, enum lsv_log_level level, const char *line)
{
	struct seen *seen = arg;

	seen->n++;
	seen->level = level;
	strncpy(seen->line, line, sizeof seen->line - 1);
}

START_TEST(to_log_and_to_return_is_one_statement)
{
	struct seen seen = {0};

	lsv_log_set_sink(see, &seen);
	ck_assert_int_eq(log_error(-ENOENT, "cannot open %s", "x"), -ENOENT);
	ck_assert_str_eq(seen.line, "cannot open x: No such file or directory");
	ck_assert_int_eq(seen.level, LSV_LOG_ERROR);
	ck_assert_int_eq(log_error(0, "no %d", 2), 0);
	ck_assert_str_eq(seen.line, "no 2");
	ck_assert_int_eq(seen.n, 2);
}
END_TEST

START_TEST(lines_above_the_level_are_dropped)
{
	for (int level = LSV_LOG_OFF; level <= LSV_LOG_DEBUG; level++) {
		struct seen seen = {0};

		lsv_log_set_sink(see, &seen);
		lsv_log_set_level((enum lsv_log_level)level);
		ck_assert_int_eq((int)lsv_log_level(), level);
		log_error(0, "e");
		log_warn(0, "w");
		log_info("i");
		log_debug("d");
		ck_assert_int_eq(seen.n, level);
	}
}
END_TEST

START_TEST(a_dropped_line_still_returns_its_error)
{
	lsv_log_set_level(LSV_LOG_OFF);
	ck_assert_int_eq(log_error(-EIO, "lost"), -EIO);
	ck_assert_int_eq(log_warn(-EIO, "lost"), -EIO);
}
END_TEST

START_TEST(only_errors_are_said_unless_asked)
{
	ck_assert_int_eq(lsv_log_level(), LSV_LOG_ERROR);
}
END_TEST

START_TEST(errno_survives_a_line)
{
	struct seen seen = {0};

	lsv_log_set_sink(see, &seen);
	errno = EXDEV;
	log_error(-ENOENT, "cannot open");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_line_too_long_is_cut_but_for_its_reason)
{
	static const char reason[] = ": No such file or directory";
	struct seen seen = {0};
	size_t n;
	char text[8192];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	lsv_log_set_sink(see, &seen);
	log_error(-ENOENT, "%s", text);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_uint_gt(strlen(seen.line), 1000);
	ck_assert_uint_lt(strlen(seen.line), sizeof seen.line - 1);
	n = strlen(seen.line) - strlen(reason);
	ck_assert_mem_eq(seen.line, text, n);
	ck_assert_str_eq(seen.line + n, reason);
}
END_TEST

START_TEST(without_a_sink_a_line_goes_to_stderr)
{
	static const char expected[] = "lsvfs: error: cannot a: No such file "
				       "or directory\nlsvfs: info: b\n";
	auto_close int old = dup(STDERR_FILENO);
	char text[256] = {0};
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	lsv_log_set_sink(NULL, NULL);
	lsv_log_set_level(LSV_LOG_INFO);
	log_error(-ENOENT, "cannot %s", "a");
	log_info("b");
	ck_assert_int_ge(dup2(old, STDERR_FILENO), 0);
	ck_assert_int_ge(read(ends[0], text, sizeof text - 1), 0);
	close(ends[0]);
	close(ends[1]);
	ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(a_level_has_a_name)
{
	static const struct {
		const char *text;
		int r;
		enum lsv_log_level level;
	} table[] = {
		{"off", 0, LSV_LOG_OFF},
		{"error", 0, LSV_LOG_ERROR},
		{"warn", 0, LSV_LOG_WARN},
		{"info", 0, LSV_LOG_INFO},
		{"debug", 0, LSV_LOG_DEBUG},
		{"", -EINVAL, LSV_LOG_DEBUG},
		{"Error", -EINVAL, LSV_LOG_DEBUG},
		{"errors", -EINVAL, LSV_LOG_DEBUG},
		{"1", -EINVAL, LSV_LOG_DEBUG},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		enum lsv_log_level level = LSV_LOG_DEBUG;

		ck_assert_msg(lsv_log_parse_level(table[i].text, &level) ==
		                      table[i].r,
		              "%s", table[i].text);
		ck_assert_int_eq(level, table[i].level);
	}
}
END_TEST

UNIT(log, to_log_and_to_return_is_one_statement,
     lines_above_the_level_are_dropped, a_dropped_line_still_returns_its_error,
     only_errors_are_said_unless_asked, errno_survives_a_line,
     a_line_too_long_is_cut_but_for_its_reason,
     without_a_sink_a_line_goes_to_stderr, a_level_has_a_name)
