/* SPDX-License-Identifier: MIT */
#ifndef LSV_CATALOG_H
#define LSV_CATALOG_H

/*
 * What a replica holds: one list, sorted into generations, their snapshots
 * and their segments.  Names only; what the objects say about themselves is
 * read later, of those that matter.
 */

#include "replica/base/vector.h"
#include "replica/format/layout.h"
#include "replica/store/client.h"

#include <stdbool.h>

struct lsv_item {
	char *name;
	enum lsv_codec codec;
	struct lsv_pos pos; /* where it begins; a snapshot's offset is 0 */
	uint64_t size;
	int64_t time_ns; /* as the store has it */
};

LSV_VECTOR(lsv_items, struct lsv_item)

struct lsv_generation {
	uint64_t id;
	bool has_lineage;
	struct lsv_items snapshots; /* rising by index */
	struct lsv_items segments;  /* rising by position */
};

LSV_VECTOR(lsv_generations, struct lsv_generation)

struct lsv_catalog {
	struct lsv_generations generations; /* rising by name */
	size_t n_objects;                   /* in all */
	bool has_ltx;                       /* stock 0.5 wrote here */
};

/* The caller frees with lsv_catalog_free(). */
int lsv_catalog_read(struct lsv_client *client, struct lsv_catalog *catalog);
void lsv_catalog_free(struct lsv_catalog *catalog);

/* NULL: not there. */
const struct lsv_generation *lsv_catalog_find(const struct lsv_catalog *catalog,
                                              uint64_t generation);

#endif
