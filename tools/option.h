/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_OPTION_H
#define LSVFS_OPTION_H

/* Options of the commands: one dash or two, each by its whole name.  What
 * getopt_long_only() takes for short, -f for -force and -v for -version, means
 * something else where people come from. */

#include <getopt.h>

/* Rows of each table. */
#define OPTION_HELP                                                            \
	{"help", no_argument, NULL, 'h'},                                      \
	{                                                                      \
		"h", no_argument, NULL, 'h'                                    \
	}

/* As getopt_long_only(); 'i' may be NULL.  '?': what is wrong was said in one
 * line, with what to type. */
int option_next(int argc, char **argv, const struct option *options, int *i);

#endif
