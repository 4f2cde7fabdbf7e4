/* SPDX-License-Identifier: MIT */
#ifndef LSV_OWNER_H
#define LSV_OWNER_H

/*
 * lsvfs/owner.json: who writes to a replica.  Read when a replica is
 * opened, and once a minute of work; put at each generation's start, and with
 * the first segment from another place.  Another lineage there is
 * refused, naming both hosts, unless it is this host's and its database file
 * is ours (a local folder that was lost) or gone, or this database was restored
 * from what the owner wrote last and lies at the same path: a container that
 * was started anew has another host's name.
 *
 * (Each host would begin its own random generation, so no name would ever
 * collide, and "latest" would flip between them.)
 */

#include "replica/format/table.h"
#include "replica/store/client.h"

/* Who asks. */
struct lsv_owner_self {
	const uint8_t *lineage; /* LSV_LINEAGE_SIZE bytes */
	uint64_t generation;
	uint64_t parent;     /* the generation before; 0: not known */
	uint64_t origin;     /* the one it was restored from; 0: none */
	const char *db_path; /* absolute */
};

/* 0: ours or free.  1: our history, but another place (host, path) went on
 * with it last: the database was moved here, or this is a copy of it.
 * -EPERM: somebody else's, or a copy of us has begun a generation since.
 * Of 1 and -EPERM 'why' has the sentence, with its remedy. */
#define LSV_OWNER_WHY_SIZE 600
int lsv_owner_check(struct lsv_client *client,
                    const struct lsv_owner_self *self,
                    char why[LSV_OWNER_WHY_SIZE]);
int lsv_owner_put(struct lsv_client *client,
                  const uint8_t lineage[LSV_LINEAGE_SIZE], uint64_t generation,
                  const char *db_path);

#define LSV_LINEAGE_TEXT_SIZE (2 * LSV_LINEAGE_SIZE + 1)
void lsv_lineage_format(const uint8_t lineage[LSV_LINEAGE_SIZE],
                        char text[LSV_LINEAGE_TEXT_SIZE]);

#endif
