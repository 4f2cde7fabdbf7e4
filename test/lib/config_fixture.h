/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_CONFIG_FIXTURE_H
#define LSV_TEST_CONFIG_FIXTURE_H

/* Configuration files of a test case, in the folder where it is. */

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/ship/config_file.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static inline void config_fixture_free(struct lsv_config_file **file)
{
	lsv_config_file_free(*file);
}

#define auto_config __attribute__((cleanup(config_fixture_free)))

/* Writes and reads it; *why is the caller's. */
static inline int config_try(const char *text, size_t n,
                             struct lsv_config_file **file, char **why)
{
	bool is_required = false;

	ck_assert_int_eq(lsv_file_replace("c.yml", text, n, 0600), 0);
	return lsv_config_file_read("c.yml", true, file, why, &is_required);
}

/* One that must be right. */
static inline struct lsv_config_file *config_read(const char *text)
{
	struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	int r = config_try(text, strlen(text), &file, &why);

	ck_assert_msg(r == 0, "%s", why ? why : "?");
	return file;
}

#endif
