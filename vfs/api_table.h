/* SPDX-License-Identifier: MIT */
#ifndef LSV_API_TABLE_H
#define LSV_API_TABLE_H

/* api_list.h as data: for who fills a table of SQLite's functions, and who
 * looks whether one that was handed out is complete. */

struct sqlite3_api_routines;

/* Finds a function by its name, as dlsym() does. */
typedef void *lsv_api_find_fn(void *arg, const char *name);

/* NULL, or the name of the first function that is not found. */
const char *lsv_api_fill(lsv_api_find_fn *find, void *arg,
                         struct sqlite3_api_routines *api);

/* NULL, or the name of the first function that it lacks. */
const char *lsv_api_missing(const struct sqlite3_api_routines *api);

#endif
