/* SPDX-License-Identifier: MIT */
#include "vfs/api.h"

#include <stddef.h>

const sqlite3_api_routines *sqlite3_api;

bool lsv_api_set(const sqlite3_api_routines *api)
{
	if (!sqlite3_api)
		sqlite3_api = api;
	/* A literal inside the library: its address tells two copies of one
	 * version apart.  (The address of a function does not: in a non-PIE
	 * program it may be the program's PLT.) */
	return sqlite3_api->sourceid() == api->sourceid();
}

bool lsv_api_has_threads(void)
{
	sqlite3_mutex *a, *b;
	bool differ;

	if (!sqlite3_threadsafe())
		return false;
	/* Configured single-thread, every mutex is the same no-op. */
	a = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
	b = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
	differ = a != b;
	sqlite3_mutex_free(a);
	sqlite3_mutex_free(b);
	return differ;
}
