/* SPDX-License-Identifier: MIT */
#ifndef LSV_REGION_H
#define LSV_REGION_H

/* The region that the environment names: AWS_REGION, AWS_DEFAULT_REGION, or
 * 'region' of the profile.  A new string; -ENOENT: none. */
int lsv_region_find(char **region);

#endif
