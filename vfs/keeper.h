/* SPDX-License-Identifier: MIT */
#ifndef LSV_KEEPER_H
#define LSV_KEEPER_H

/*
 * A database that programs without us write, kept open and replicated by a
 * process that has nothing else to do ("lsvfs replicate"): one connection
 * through the VFS, which reads once; the worker does the rest, when it is told
 * that the WAL was written to.  While this process leads, the guard (guard.h)
 * is held.  All are called from one thread.
 */

#include <stdbool.h>

struct lsv_keeper;

/* -ENOENT: no such file, or none of its own yet (0 pages); -EINVAL: not in WAL
 * mode and cannot be made so; -ENOTSUP: it has no replica or may not have it;
 * -EBUSY: locked for now; -EIO.  What a person must know was logged, but not
 * for -ENOENT and -EBUSY. */
int lsv_keeper_open(const char *db_path, struct lsv_keeper **out);

/* The page that the processes share: closed for writing, as inotify(7) tells
 * it, when one of them ends.  The caller frees; NULL: out of memory. */
char *lsv_keeper_page(const struct lsv_keeper *keeper);

/* The WAL was written to: a look is due.  'surely': one that comes after this
 * call, also when the worker looks already. */
void lsv_keeper_poke(struct lsv_keeper *keeper, bool surely);

/* A program holds WRITE: what it wrote may become a commit any moment. */
bool lsv_keeper_is_written(const struct lsv_keeper *keeper);
/* This process leads.  Else another one does the work. */
bool lsv_keeper_leads(const struct lsv_keeper *keeper);
/* The file at the path is another one, or none, by now. */
bool lsv_keeper_is_lost(const struct lsv_keeper *keeper);

/* Waits until all that was committed before is on the replica, at most
 * shutdown-sync-timeout, and not at all while the replica does not answer.
 * 0: it is. */
int lsv_keeper_flush(struct lsv_keeper *keeper);

/* As a program closes its database; NULL is fine. */
void lsv_keeper_close(struct lsv_keeper *keeper);

#endif
