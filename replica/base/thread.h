/* SPDX-License-Identifier: MIT */
#ifndef LSV_THREAD_H
#define LSV_THREAD_H

/* Starts a detached thread with all signals blocked; 0 or -errno. */
int lsv_thread_start(void *(*run)(void *), void *arg);

#endif
