/* SPDX-License-Identifier: MIT */
#ifndef LSV_PUT_H
#define LSV_PUT_H

/* How a new object, given as the reader that encodes it, gets onto a
 * replica. */

#include "replica/store/client.h"

/* Encoded while it is put; *n_bytes: its size. */
int lsv_put(struct lsv_client *client, const char *name,
            struct lsv_reader *object, int64_t time_ns, enum lsv_put_mode mode,
            uint64_t *n_bytes);

/* Encoded whole in memory before the first byte goes out. */
int lsv_put_from_memory(struct lsv_client *client, const char *name,
                        struct lsv_reader *object, int64_t time_ns,
                        enum lsv_put_mode mode, uint64_t *n_bytes);

#endif
