/* SPDX-License-Identifier: MIT */
#ifndef LSV_PRAGMA_H
#define LSV_PRAGMA_H

/*
 * PRAGMA lsvfs_..., on a connection that is replicated; any other ignores it,
 * as SQLite does with what it does not know.  A VFS can answer one text, at
 * the time at which the statement is prepared.
 */

struct lsv_file;

/* SQLITE_FCNTL_PRAGMA, 'words' as SQLite hands them.  SQLITE_NOTFOUND: not
 * ours. */
int lsv_pragma(struct lsv_file *main, char **words);

#endif
