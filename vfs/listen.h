/* SPDX-License-Identifier: MIT */
#ifndef LSV_LISTEN_H
#define LSV_LISTEN_H

/*
 * The kernel lets a thread wait on at most 128 words.  A process that leads
 * more databases than that has one listener for all others: a thread that
 * hears their shared pages being opened (inotify(7)), which is how who commits
 * calls a leader that says so in the page.  It has a descriptor table of its
 * own, so that nothing the program does to its descriptors reaches it.
 */

#include <stdbool.h>

/* Listens to one database; the worker's. */
struct lsv_ear;

/* For the shared page in the folder 'dir'.  NULL: out of memory. */
struct lsv_ear *lsv_ear_open(const char *dir);
void lsv_ear_close(struct lsv_ear *ear); /* NULL is fine */

/* Since the last time something may have been heard, or something cannot be. */
bool lsv_listen_has_heard(void);
/* Some cannot be heard at this moment: who calls those is found by a timer. */
bool lsv_listen_is_deaf(void);
void lsv_listen_fork_child(void);

#endif
