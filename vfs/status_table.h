/* SPDX-License-Identifier: MIT */
#ifndef LSV_STATUS_TABLE_H
#define LSV_STATUS_TABLE_H

/*
 * lsvfs_status, the eponymous virtual table: PRAGMA lsvfs_status for those who
 * want rows.  Connections get it at their open, by an auto-extension of ours,
 * and only when their main database is replicated; nothing is opened for it,
 * and a table of that name in a database hides it.  An application that calls
 * sqlite3_reset_auto_extension() does without it from then on.
 */

/* Connections that are opened from now on.  A SQLite that was compiled without
 * virtual tables goes without. */
void lsv_status_table_offer(void);

#endif
