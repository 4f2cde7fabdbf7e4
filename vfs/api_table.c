/* SPDX-License-Identifier: MIT */
#define SQLITE_CORE 1 /* the table's type without the macros over it */

#include "vfs/api_table.h"

#include <sqlite3ext.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t at;
	bool is_optional;
} entries[] = {
#define LSV_API(member, function)                                              \
	{#function, offsetof(struct sqlite3_api_routines, member), false},
#define LSV_API_OPTIONAL(member, function)                                     \
	{#function, offsetof(struct sqlite3_api_routines, member), true},
#include "vfs/api_list.h"
#undef LSV_API
#undef LSV_API_OPTIONAL
};

#define N_ENTRIES (sizeof entries / sizeof *entries)

const char *lsv_api_fill(lsv_api_find_fn *find, void *arg,
                         struct sqlite3_api_routines *api)
{
	memset(api, 0, sizeof *api);
	for (size_t i = 0; i < N_ENTRIES; i++) {
		void *function = find(arg, entries[i].name);

		if (!function && !entries[i].is_optional)
			return entries[i].name;
		memcpy((char *)api + entries[i].at, &function, sizeof function);
	}
	return NULL;
}

const char *lsv_api_missing(const struct sqlite3_api_routines *api)
{
	for (size_t i = 0; i < N_ENTRIES; i++) {
		void *function;

		memcpy(&function, (const char *)api + entries[i].at,
		       sizeof function);
		if (!function && !entries[i].is_optional)
			return entries[i].name;
	}
	return NULL;
}
