/* SPDX-License-Identifier: MIT */
#ifndef LSV_PRESENT_H
#define LSV_PRESENT_H

/*
 * Whether a replica still has what was put there.  What is noted of it
 * (state.h, catalogue.h) is not asked of it again while a database is idle
 * (I13); whoever wants to be sure asks for one byte of its newest object.
 */

#include "replica/spool/state.h"
#include "replica/store/client.h"

/* 'record': what is noted; 'catalogue': the path of the replica's catalogue,
 * which need not be there.  -ENOENT: it is not there, and *name, which the
 * caller frees, is what is missing; else what the client says. */
int lsv_present(struct lsv_client *client,
                const struct lsv_replica_record *record, const char *catalogue,
                char **name);

#endif
