/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_RECOVERY_H
#define LSV_TEST_RECOVERY_H

/*
 * What SQLite itself makes of a database and its WAL: both are copied aside by
 * their bytes, opened there without us, recovered and checkpointed.  To be
 * called in a process that has no connection on the database: it opens and
 * closes the file.
 */

#include <stdbool.h>

/* Leaves the result as 'output'; 'side' is a name for the work in between.
 * *has_zero: the WAL has frames of SQLite's zero-checksum bug (fixed in
 * 3.50.2), behind which recovery loses commits; there is no output then.
 * False: there is no database yet. */
bool recovery_make(const char *db_path, const char *side, const char *output,
                   bool *has_zero);

#endif
