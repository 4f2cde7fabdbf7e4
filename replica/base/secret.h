/* SPDX-License-Identifier: MIT */
#ifndef LSV_SECRET_H
#define LSV_SECRET_H

/* Strings that leave nothing behind in memory (I15). */

#include <stdlib.h>
#include <string.h>

/* NULL is fine. */
static inline void lsv_secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static inline void lsv_secret_cleanup(char **text)
{
	lsv_secret_free(*text);
}

#define auto_secret __attribute__((cleanup(lsv_secret_cleanup)))

#endif
