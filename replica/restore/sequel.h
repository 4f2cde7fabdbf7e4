/* SPDX-License-Identifier: MIT */
#ifndef LSV_SEQUEL_H
#define LSV_SEQUEL_H

/*
 * What lies behind the last object of a plan.  It must go on where that one
 * ends: else the commit that was asked for is in an object that is missing,
 * and the one found is an earlier one.
 *
 *	│ used: txid 5 to 9 │  (txid 10 to 14: missing)  │ next: txid 15 ...
 *	                              ▲ target
 */

#include "replica/restore/plan.h"

/* 0; -EBADMSG: the replica is damaged; says what is missing.  Reads at most
 * one tail; of stock's replica the names alone tell. */
int lsv_sequel_check(struct lsv_client *client, const struct lsv_plan *plan);

/* Something of the generation, as it was listed, was found to be missing.
 * -ESTALE, said: names before its last one came or went while they were
 * listed.  -EBADMSG: they did not. */
int lsv_sequel_relist(struct lsv_client *client,
                      const struct lsv_generation *listed);

#endif
