/* SPDX-License-Identifier: MIT */
#ifndef LSV_PLAIN_H
#define LSV_PLAIN_H

/*
 * A database that has a replica but is not in WAL mode: its commits are not
 * replicated, which a person should know.  One line, once a database and
 * process, when it is closed so or has been written so for a while: many
 * programs make their tables first and switch to WAL then.
 */

#include "vfs/file.h"

/* Of a main file: it is written to, and that is no backfill. */
void lsv_plain_write(struct lsv_file *main);
void lsv_plain_closing(struct lsv_file *main);

#endif
