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

enum lsv_journal {
	LSV_JOURNAL_WAL, /* or what its header does not tell: encrypted */
	LSV_JOURNAL_PLAIN,
	LSV_JOURNAL_NONE, /* it has no page yet */
};

/* By what is in the file now, whoever switched it; in any thread. */
enum lsv_journal lsv_plain_look(struct lsv_db *db);

/* Nothing can begin: it has left WAL mode, and is not looked at before a
 * connection brings that back.  False: it is back. */
bool lsv_plain_park(struct lsv_db *db);

/* Of a main file: it is written to, and that is no backfill. */
void lsv_plain_write(struct lsv_file *main);
void lsv_plain_closing(struct lsv_file *main);

#endif
