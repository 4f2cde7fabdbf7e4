/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_VALUE_H
#define LSV_CONFIG_VALUE_H

/* How the values of options are written.  Durations: replica/base/clock.h. */

#include <stdbool.h>
#include <stdint.h>

/* A replica's URL or path, a relative path made absolute; the caller frees.
 * NULL: out of memory, or the working directory is gone. */
char *lsv_value_url(const char *url);

/* "64MiB", "1GB", "4096": K, M, G, T and KiB... are powers of 1024, KB... of
 * 1000.  -EINVAL: not a size. */
int lsv_value_bytes(const char *value, uint64_t *bytes);

/* As SQLite reads a boolean of a URI.  -EINVAL: not one. */
int lsv_value_bool(const char *value, bool *is_set);

#endif
