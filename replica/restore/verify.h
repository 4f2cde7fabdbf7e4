/* SPDX-License-Identifier: MIT */
#ifndef LSV_VERIFY_H
#define LSV_VERIFY_H

/* What only SQLite knows: whether a database is sound, and whether somebody
 * uses it.  This floor's one door to SQLite. */

enum lsv_check { LSV_CHECK_NONE, LSV_CHECK_QUICK, LSV_CHECK_FULL };

/* PRAGMA quick_check or integrity_check of a file that nobody else has open.
 * Writes nothing.  -EBADMSG: it is not sound, said. */
int lsv_verify_database(const char *path, enum lsv_check check);

/* SQLite's exclusive lock on a database file, without reading or writing it:
 * a hot journal stays hot.  -EBUSY: in use.  lsv_verify_unlock() ends it. */
struct lsv_db_lock;
int lsv_verify_lock(const char *path, struct lsv_db_lock **out);
void lsv_verify_unlock(struct lsv_db_lock *lock); /* NULL is fine */

#endif
