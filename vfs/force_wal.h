/* SPDX-License-Identifier: MIT */
#ifndef LSV_FORCE_WAL_H
#define LSV_FORCE_WAL_H

/*
 * force-wal (design.md section 10): a database in another journal mode is
 * switched to WAL by a connection of ours, between two moments of the
 * application's when it holds no lock.  What changes are two bytes of the
 * header (I12); the application's connection finds them at its next read.
 *
 * Not a database without pages: page_size and auto_vacuum are still its
 * program's to choose.  It is switched behind its first transaction.
 */

#include <stdbool.h>

struct lsv_file;

/* At an open, before the application gets the file. */
void lsv_force_wal_opened(struct lsv_file *file);
/* The application has let go of its last lock. */
void lsv_force_wal_unlocked(struct lsv_file *file);

/* PRAGMA journal_mode=...: true: it need not run, the database is in WAL mode
 * and stays there.  Only where no other database of the process would change
 * by the same words (they are for all that the connection has attached). */
bool lsv_force_wal_keeps(struct lsv_file *file, char **pragma);

/* Who opens in this process switches by itself (keeper.h): it waits where the
 * database is locked, and says what came of it. */
void lsv_force_wal_stand_back(void);

/* A database that is none of ours was opened in this process. */
void lsv_force_wal_stranger(void);

#endif
