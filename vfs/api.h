/* SPDX-License-Identifier: MIT */
#ifndef LSV_API_H
#define LSV_API_H

/*
 * One way to SQLite: the table sqlite3_api, by sqlite3ext.h's macros.  Who
 * fills it: an extension is handed one; preload and lsvfs_register() of the
 * shared library fill it by dlsym from one list (api_list.h), all from the
 * same libsqlite3; the static library has direct references instead.
 */

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT3

#endif
