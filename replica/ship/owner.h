/* SPDX-License-Identifier: MIT */
#ifndef LSV_OWNER_H
#define LSV_OWNER_H

/*
 * lsvfs/owner.json: who writes to a replica.  Read when the local catalogue
 * is missing, put at each generation's start.  Another lineage there is
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

/* 0: ours or free.  -EPERM: somebody else's; 'why' then has the sentence,
 * with its remedy.  'db_path' is absolute; 'parent': the generation that the
 * database was restored from, 0: none. */
#define LSV_OWNER_WHY_SIZE 600
int lsv_owner_check(struct lsv_client *client,
                    const uint8_t lineage[LSV_LINEAGE_SIZE],
                    const char *db_path, uint64_t parent,
                    char why[LSV_OWNER_WHY_SIZE]);
int lsv_owner_put(struct lsv_client *client,
                  const uint8_t lineage[LSV_LINEAGE_SIZE], uint64_t generation,
                  const char *db_path);

#define LSV_LINEAGE_TEXT_SIZE (2 * LSV_LINEAGE_SIZE + 1)
void lsv_lineage_format(const uint8_t lineage[LSV_LINEAGE_SIZE],
                        char text[LSV_LINEAGE_TEXT_SIZE]);

#endif
