/* SPDX-License-Identifier: MIT */
#ifndef LSV_LIBRARY_H
#define LSV_LIBRARY_H

/*
 * Which SQLite is meant, in a process that may have several: a program links
 * one, a module of Python or PHP brings one in, and LD_PRELOAD puts us before
 * them all.
 */

#include <stdbool.h>

struct sqlite3_api_routines;

/* A handle on the library whose functions the code at 'caller' gets when it
 * calls SQLite; dlclose() it.  NULL: none is loaded. */
void *lsv_library_of(const void *caller);

/* The function behind our interposer of the same name, as 'caller' would have
 * got it without us; NULL: none is loaded. */
void *lsv_library_next(const char *name, const void *caller);

/* Fills the functions of api_list.h, all from one library.  NULL, or the name
 * of the first that it lacks. */
const char *lsv_library_fill(void *handle, struct sqlite3_api_routines *api);

/* The library that 'address' lies in is never unloaded from now on. */
void lsv_library_pin(const void *address);

/* The folder that our file is in, links followed; a new string or NULL. */
char *lsv_library_folder(void);

/* true: LD_PRELOAD (or /etc/ld.so.preload, or ld.so --preload) brought us in;
 * false: the program or a library of it is linked with us, or dlopen()
 * loaded us. */
bool lsv_library_is_preloaded(void);

#endif
