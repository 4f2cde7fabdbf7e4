/* SPDX-License-Identifier: MIT */
#ifndef LSV_TAIL_H
#define LSV_TAIL_H

/* What an object says about itself: its commit table, got by a ranged read
 * of the object's tail. */

#include "replica/format/table.h"
#include "replica/store/catalog.h"

/*
 * 0: 'table' is the item's own, the caller frees it with lsv_table_free().
 * -ENOENT: there is none (stock's object, or a cut one).  -EBADMSG: there is
 * one, but it is broken or belongs to another object.  -EPROTO: a newer lsvfs
 * wrote it.  None of these is logged: it depends on whose replica this is.
 */
int lsv_tail_read(struct lsv_client *client, const struct lsv_item *item,
                  struct lsv_table *table);

/* Decodes the bytes of a table and holds it against the object's name; results
 * as above. */
int lsv_tail_decode(const struct lsv_item *item, const uint8_t *bytes, size_t n,
                    struct lsv_table *table);

/* As lsv_tail_read() for an object of ours: a table that is not there is
 * damage, too.  Says what is wrong. */
int lsv_tail_require(struct lsv_client *client, const struct lsv_item *item,
                     struct lsv_table *table);

/* What a failed get is, where -ENOENT, -EBADMSG and -EPROTO are said of
 * tables. */
int lsv_tail_get_error(int err);

/* Logs why the object has no valid table of its own, or why it cannot be got;
 * returns -EBADMSG, or what else 'err' is. */
int lsv_tail_complain(const struct lsv_client *client,
                      const struct lsv_item *item, int err);

#endif
