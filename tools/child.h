/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_CHILD_H
#define LSVFS_CHILD_H

/* The program of "lsvfs replicate -exec", and the signals that are its. */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0: none is running */
	int status; /* as an exit status, once it ended: 128 + n by signal n */
};

/* Parts a command line into words as a shell does, with quotes and
 * backslashes, without expansion.  A new array, NULL at its end, in one
 * piece; NULL: a quote is open, no word, or out of memory. */
char **child_words(const char *line);

/* Starts it with that signal mask; what cannot be was said. */
int child_start(struct child *child, const char *line, const sigset_t *mask);
void child_signal(const struct child *child, int signal_no);
/* After SIGCHLD: takes the ends of all children (as process 1 of a container
 * also those of others).  True: the child's was among them. */
bool child_reap(struct child *child);

#endif
