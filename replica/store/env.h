/* SPDX-License-Identifier: MIT */
#ifndef LSV_ENV_H
#define LSV_ENV_H

#include <stdlib.h>

/* A variable of the environment, NULL when it is empty, too.  (Nothing in a
 * program that runs with somebody else's rights.) */
static inline const char *lsv_env(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

#endif
