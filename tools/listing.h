/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_LISTING_H
#define LSVFS_LISTING_H

/*
 * What "lsvfs generations", "lsvfs snapshots" and "lsvfs wal" share: one
 * command line, and one walk over what each replica holds.  Each of them is a
 * row for every item, in the order in which Litestream prints them.
 */

#include "replica/store/catalog.h"
#include "tools/columns.h"
#include "tools/json.h"
#include "tools/target.h"

struct listing {
	const char *usage;
	const char *array; /* the member of the JSON object that has the rows */
	const char *const *head; /* of the table */
	/* One generation: its rows, in one form or the other. */
	void (*rows)(const struct target *target, const char *replica,
	             const struct lsv_generation *generation,
	             struct columns *columns, struct json *json);
	bool takes_generation; /* -generation is an option of it */
};

/* Objects of a replica, a row for each, as members of the array ('json' is not
 * NULL) and of the table. */
void listing_items(const struct lsv_items *items, const char *replica,
                   bool has_offset, struct columns *columns, struct json *json);

/* The command, by its table; the exit status. */
int listing_run(const struct listing *listing, int argc, char **argv);

#endif
