/* SPDX-License-Identifier: MIT */
#ifndef LSV_API_H
#define LSV_API_H

/*
 * One way to SQLite: the table sqlite3_api, by sqlite3ext.h's macros.  Who
 * fills it: an extension is handed one; preload and lsvfs_register() of the
 * shared library fill it by dlsym from one list (api_list.h), all from the
 * same libsqlite3; the static library has direct references instead.
 *
 * A function that is not in api_list.h is NULL in the last two: add it there.
 */

/* A program that links liblsvfs.a may have a sqlite3_api of its own. */
#define sqlite3_api lsv_sqlite3_api

#include <sqlite3ext.h>

#include <stdbool.h>

SQLITE_EXTENSION_INIT3

/* Sets sqlite3_api, once in a process.  false: it is another SQLite's than
 * the one that is set. */
bool lsv_api_set(const sqlite3_api_routines *api);

/* false: compiled without threads, or configured single-thread: then nothing
 * of ours may run inside it beside the application's thread (design.md
 * section 10). */
bool lsv_api_has_threads(void);

#endif
