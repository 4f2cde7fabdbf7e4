/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_PATH_H
#define LSV_CONFIG_PATH_H

/* Paths as a configuration file writes them. */

/* Absolute and without "//", "." and "..", by its text alone; "~" and "~/..."
 * are the user's home, as Litestream has it.  The caller frees.  NULL: out of
 * memory, no home, or no working directory. */
char *lsv_path_expand(const char *text);

/* An absolute path without "//", "." and "..", in place, by its text alone.
 * NULL: out of memory. */
char *lsv_path_fold(char *path);

/* The same file behind symbolic links, as SQLite names it; one that is not
 * there yet by its folder.  NULL: that is not there either. */
char *lsv_path_real(const char *path);

/* What is behind 'dir' in 'path', borrowed; NULL: 'path' is not below it. */
const char *lsv_path_below(const char *dir, const char *path);

#endif
