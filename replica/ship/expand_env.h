/* SPDX-License-Identifier: MIT */
#ifndef LSV_EXPAND_ENV_H
#define LSV_EXPAND_ENV_H

/* $NAME and ${NAME} in a configuration file, as Litestream expands them: in
 * its bytes, before it is parsed. */

#include "replica/base/stream.h"

/* What a name stands for, or NULL: nothing.  The name has n bytes. */
typedef const char *lsv_env_fn(void *arg, const char *name, size_t n);

/* Appends 'text' to 'out'.  What is not set becomes nothing, as there.
 * -EFBIG: 'out' would become larger than 'max'. */
int lsv_expand_env(const char *text, size_t n, size_t max, lsv_env_fn *env,
                   void *arg, struct lsv_buf *out);

#endif
