/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_COLUMNS_H
#define LSVFS_COLUMNS_H

/*
 * What a command prints as a table: a head and rows of cells, each column as
 * wide as its widest cell and two spaces more.  Out of memory is remembered
 * and shows when it is printed.
 *
 *	columns = columns_open((const char *[]){"name", "size", NULL});
 *	columns_cell(columns, "%s", name);
 *	columns_cell(columns, "%u", size);
 *	return columns_print(columns);
 */

struct columns;

/* The head, NULL at its end.  NULL: out of memory, also fine. */
struct columns *columns_open(const char *const *names);

/* The next cell, row by row. */
void columns_cell(struct columns *columns, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints it to stdout and frees it.  -ENOMEM, or -EIO when stdout takes it
 * not.  On a terminal that has colours the head is bold. */
int columns_print(struct columns *columns);

#endif
