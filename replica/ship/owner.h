/* SPDX-License-Identifier: MIT */
#ifndef LSV_OWNER_H
#define LSV_OWNER_H

/*
 * lsvfs/owner.json: who writes to a replica.  Read when the local catalogue
 * is missing, put at each generation's start.  Another lineage there is
 * refused, naming both hosts, unless its database file is gone (same host)
 * or it is taken over on purpose.
 */

#include "replica/format/table.h"
#include "replica/store/client.h"

/* 0: ours or free.  -EPERM: somebody else's; 'why' then has the sentence. */
#define LSV_OWNER_WHY_SIZE 600
int lsv_owner_check(struct lsv_client *client,
                    const uint8_t lineage[LSV_LINEAGE_SIZE],
                    const char *db_path, char why[LSV_OWNER_WHY_SIZE]);
int lsv_owner_put(struct lsv_client *client,
                  const uint8_t lineage[LSV_LINEAGE_SIZE], uint64_t generation,
                  const char *db_path);

#endif
