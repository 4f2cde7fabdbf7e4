/* SPDX-License-Identifier: MIT */
#ifndef LSV_PROFILE_H
#define LSV_PROFILE_H

/*
 * The shared files of AWS tools, ~/.aws/credentials and ~/.aws/config:
 *
 *	[NAME]            # of a profile; in config [profile NAME] or [default]
 *	key = value       # a comment begins with " #" or " ;"
 *	s3 =
 *	  nested = value  # of no use to us
 *
 * Read by hand: Debian's libinih cuts a line at 200 bytes, and a session
 * token is longer.
 */

#include "replica/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

enum lsv_profile_file { LSV_PROFILE_CREDENTIALS, LSV_PROFILE_CONFIG };

struct lsv_profiles;

/* Both files, by the environment: AWS_SHARED_CREDENTIALS_FILE,
 * AWS_CONFIG_FILE, HOME.  A file that is not there is empty.  -EBADMSG: one
 * does not parse; 'why' says where, and never what is written there. */
#define LSV_PROFILE_WHY_SIZE 300
int lsv_profiles_open(char why[LSV_PROFILE_WHY_SIZE],
                      struct lsv_profiles **out);

/* NULL is fine. */
void lsv_profiles_close(struct lsv_profiles *profiles);

LSV_AUTO(profiles, struct lsv_profiles, lsv_profiles_close)
#define auto_profiles __attribute__((cleanup(lsv_auto_profiles)))

bool lsv_profiles_has(const struct lsv_profiles *profiles, const char *name);

/* A value, borrowed; the credentials file's wins; NULL: none, or empty. */
const char *lsv_profiles_get(const struct lsv_profiles *profiles,
                             const char *name, const char *key);

/* $AWS_PROFILE, or "default"; *is_chosen: somebody said so. */
const char *lsv_profile_name(bool *is_chosen);

/* For tests: an empty set, and a text into it.  *bad_line: of -EBADMSG. */
int lsv_profiles_new(struct lsv_profiles **out);
int lsv_profiles_parse(struct lsv_profiles *profiles, const char *text,
                       enum lsv_profile_file file, unsigned *bad_line);

#endif
