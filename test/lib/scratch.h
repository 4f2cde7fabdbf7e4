/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_SCRATCH_H
#define LSV_TEST_SCRATCH_H

/*
 * A folder for one test case, which it enters and which is removed when the
 * case has passed; one that failed leaves it to be looked at:
 *
 *	auto_scratch char *dir = scratch_enter();
 */

#include "replica/base/fileio.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes a folder, enters it, and gives its absolute name to the caller. */
static inline char *scratch_enter(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = lsv_path_join(tmp ? tmp : "/tmp", "lsvfs-unit.XXXXXX");

	ck_assert_ptr_nonnull(path);
	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(chdir(path), 0);
	return path;
}

static inline void scratch_leave(char **path)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(lsv_remove_tree(*path), 0);
	free(*path);
}

#define auto_scratch __attribute__((cleanup(scratch_leave), unused))

/* How many names are in a folder. */
static inline int scratch_count(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += strcmp(entry->d_name, ".") != 0 &&
		     strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

#endif
