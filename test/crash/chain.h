/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_CHAIN_H
#define LSV_TEST_CHAIN_H

/*
 * A database whose content is a function of how many commits it has had:
 * commit n adds row n, with a hash chained to row n-1 and a body made of it,
 * and replaces row n % 50 of a second table.  So whatever comes back can be
 * judged alone: is it exactly the database after some commit?
 */

#include <sqlite3.h>
#include <stdint.h>

#define CHAIN_SCHEMA                                                             \
	"CREATE TABLE IF NOT EXISTS chain(n INTEGER PRIMARY KEY, hash INTEGER, " \
	"body BLOB);"                                                            \
	"CREATE TABLE IF NOT EXISTS ring(k INTEGER PRIMARY KEY, n INTEGER, "     \
	"hash INTEGER)"

/* Adds the next commit's work to the open transaction; its number in *n.
 * SQLITE_OK, or what SQLite said. */
int chain_add(sqlite3 *db, int64_t *n);

/* How many commits the database in this file has had; dies when it is not
 * the database after exactly those, or when integrity_check complains.
 * 'what' names it in the message. */
int64_t chain_judge(const char *path, const char *what);

#endif
