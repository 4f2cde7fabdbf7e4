/* SPDX-License-Identifier: MIT */
#include "replica/store/region.h"

#include "replica/store/env.h"
#include "replica/store/profile.h"

#include <errno.h>
#include <string.h>

static int copy(const char *found, char **region)
{
	if (!found)
		return -ENOENT;
	*region = strdup(found);
	return *region ? 0 : -ENOMEM;
}

int lsv_region_find(char **region)
{
	auto_profiles struct lsv_profiles *profiles = NULL;
	char why[LSV_PROFILE_WHY_SIZE];
	bool is_chosen;
	int r = copy(lsv_env("AWS_REGION"), region);

	if (r == -ENOENT)
		r = copy(lsv_env("AWS_DEFAULT_REGION"), region);
	if (r != -ENOENT)
		return r;
	r = lsv_profiles_open(why, &profiles);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	return copy(lsv_profiles_get(profiles, lsv_profile_name(&is_chosen),
	                             "region"),
	            region);
}
