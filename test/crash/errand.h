/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_ERRAND_H
#define LSV_TEST_ERRAND_H

/*
 * Programs that a test runs, lsvfs-restore before all.  What they print is
 * kept in the current folder, in errand.out and errand.err, until the next.
 */

#include <stdbool.h>
#include <stdint.h>

/* Says why, and ends the process with status 1. */
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Runs it and waits; its exit status, or 128 + signal. */
int errand_run(const char *const argv[]);
/* What the last command printed on stderr, in a static buffer. */
const char *errand_errors(void);

struct restore_answer {
	int status; /* lsvfs-restore's exit status */
	uint64_t txid;
	char generation[17];
};

/* lsvfs-restore -o OUTPUT [OPTION VALUE] URL.  The program is
 * $LSVFS_RESTORE, or lsvfs-restore of the folder we were started in. */
void errand_restore(const char *url, const char *output,
                    const char *const options[], struct restore_answer *answer);
/* Before the first chdir(). */
void errand_find(void);
/* The program lsvfs, as $LSVFS or the folder has it. */
const char *errand_lsvfs(void);
/* Where scratch folders go: $TMPDIR, else memory: nothing here is about what
 * a disk keeps. */
const char *errand_tmp(void);
/* The same for lsvfs sync DB. */
int errand_sync(const char *db_path, const char *url);

/* Whether the files differ, and where. */
bool first_difference(const char *path, const char *expected, uint64_t *offset);
/* Whether both files have the same bytes; says where not. */
bool same_bytes(const char *path, const char *expected);

#endif
