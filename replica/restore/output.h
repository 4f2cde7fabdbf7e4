/* SPDX-License-Identifier: MIT */
#ifndef LSV_OUTPUT_H
#define LSV_OUTPUT_H

/*
 * Where a restored database goes: a temporary file beside it, which gets the
 * name when all is proven.  Until then nothing that was there is touched.
 */

#include <stdbool.h>

struct lsv_output;

/* Whether 'path' or SQLite's files beside it exist: 0 or -EEXIST, said. */
int lsv_output_check(const char *path);

/*
 * -EEXIST: something is there, and 'force' is not said.  With 'force' an old
 * database is locked exclusively until the end; -EBUSY: in use.
 */
int lsv_output_open(const char *path, bool force, struct lsv_output **out);

int lsv_output_fd(const struct lsv_output *output);
const char *lsv_output_temp(const struct lsv_output *output);
const char *lsv_output_dir(const struct lsv_output *output);

/* The file's content is on disk: give it its name. */
int lsv_output_publish(struct lsv_output *output);

/* Removes what was not published.  NULL is fine. */
void lsv_output_close(struct lsv_output *output);

#endif
