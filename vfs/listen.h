/* SPDX-License-Identifier: MIT */
#ifndef LSV_LISTEN_H
#define LSV_LISTEN_H

/*
 * The kernel lets a thread wait on at most 128 words.  A process that leads
 * more databases than the worker can wait for, beside its bell, has listeners:
 * threads that wait on the words of the others and ring the bell.
 *
 *	armed ---a word is another---> fired: rings, and waits to be armed
 *	  ^                              |
 *	  +-----the worker arms it-------+
 */

#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>

#define LSV_LISTEN_MAX 127

/* Whether there is a listener 'i'; they are numbered from 0. */
bool lsv_listen_has(size_t i);
/* Listener 'i', started when new, rings when one of words[1] to words[n] is
 * not what it was; words[0] is for its own use.  False: none can be had. */
bool lsv_listen(size_t i, const struct futex_waitv words[LSV_LISTEN_MAX + 1],
                unsigned n);
void lsv_listen_fork_child(void);

#endif
