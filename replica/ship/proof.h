/* SPDX-License-Identifier: MIT */
#ifndef LSV_PROOF_H
#define LSV_PROOF_H

/*
 * Readers that prove what passes through them on its way to a replica, so
 * that bytes which rotted, were torn by a power loss or written by a stranger
 * in the local folder never become an object (I1).  What does not verify is
 * -EBADMSG, at the latest instead of the end.  They rewind when the reader
 * below does; that reader is borrowed.
 */

#include "replica/format/segment.h"

/* Bytes of a shadow that continue 'from' and end with 'to's checksum. */
int lsv_proof_wal(struct lsv_reader *wal, const struct lsv_chain *from,
                  const struct lsv_commit *to, struct lsv_reader **out);

/* A snapshot's object: its data is whole, its table is 'table'. */
int lsv_proof_snapshot(enum lsv_codec codec, struct lsv_reader *object,
                       const struct lsv_table *table, struct lsv_reader **out);

#endif
