/* SPDX-License-Identifier: MIT */

/*
 * A profile of the shared files: keys, or a role that another profile or
 * another source is used to get.
 *
 * Programs (credential_process) and browsers (sso_*) are refused: what runs
 * inside somebody's process starts none, and asks nobody at a screen.
 */

#include "replica/store/credential_source.h"
#include "replica/store/env.h"

#include <errno.h>
#include <string.h>

/* Roles that lead to roles: longer is a circle. */
#define DEPTH_MAX 5

struct visit {
	struct lsv_credential_search *search;
	const struct lsv_profiles *profiles;
	const char *name;
	int depth;
};

static int resolve(const struct visit *visit, struct lsv_credential *out);

static const char *get(const struct visit *visit, const char *key)
{
	return lsv_profiles_get(visit->profiles, visit->name, key);
}

static int keys_of(const struct visit *visit, struct lsv_credential *out)
{
	struct lsv_credential found = {
		.key_id = (char *)get(visit, "aws_access_key_id"),
		.secret = (char *)get(visit, "aws_secret_access_key"),
		.token = (char *)get(visit, "aws_session_token"),
	};

	if (!found.key_id && !found.secret)
		return -ENOENT;
	if (!found.key_id || !found.secret)
		return lsv_credential_fail(
			visit->search, -EACCES,
			"profile '%s' has no %s beside its %s", visit->name,
			found.key_id ? "aws_secret_access_key"
				     : "aws_access_key_id",
			found.key_id ? "aws_access_key_id"
				     : "aws_secret_access_key");
	return lsv_credential_copy(&found, out);
}

static int from_named_source(const struct visit *visit, const char *source,
                             struct lsv_credential *out)
{
	static const struct {
		const char *name;
		lsv_credential_source *ask;
	} sources[] = {
		{"EcsContainer", lsv_credential_from_container},
		{"Ec2InstanceMetadata", lsv_credential_from_instance},
	};

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		int r;

		if (strcmp(sources[i].name, source) != 0)
			continue;
		r = sources[i].ask(visit->search, out);
		if (r != -ENOENT)
			return r;
		return lsv_credential_fail(
			visit->search, -EACCES,
			"profile '%s' has credential_source = %s, but there "
			"is nothing",
			visit->name, source);
	}
	return lsv_credential_fail(visit->search, -EACCES,
	                           "profile '%s' has a credential_source "
	                           "other than EcsContainer and "
	                           "Ec2InstanceMetadata (keys in the "
	                           "environment are used as they are)",
	                           visit->name);
}

/* Who may take the role. */
static int base_of(const struct visit *visit, struct lsv_credential *out)
{
	const char *source_profile = get(visit, "source_profile");
	const char *source = get(visit, "credential_source");
	struct visit next = *visit;
	int r;

	if (!source_profile && !source)
		return lsv_credential_fail(
			visit->search, -EACCES,
			"profile '%s' has a role_arn, but neither "
			"source_profile nor credential_source",
			visit->name);
	if (!source_profile)
		return from_named_source(visit, source, out);
	next.name = source_profile;
	next.depth++;
	r = strcmp(source_profile, visit->name) == 0 ? keys_of(visit, out)
	                                             : resolve(&next, out);
	if (r != -ENOENT)
		return r;
	return lsv_credential_fail(visit->search, -EACCES,
	                           "profile '%s' has source_profile = %s, but "
	                           "there are no credentials in it",
	                           visit->name, source_profile);
}

static int role_of(const struct visit *visit, struct lsv_credential *out)
{
	const char *token_path = get(visit, "web_identity_token_file");
	auto_credential struct lsv_credential base = {0};
	struct lsv_role role = {
		.arn = get(visit, "role_arn"),
		.session = get(visit, "role_session_name"),
		.external_id = get(visit, "external_id"),
		.duration_s = get(visit, "duration_seconds"),
		.region = get(visit, "region"),
	};
	int r;

	if (token_path)
		return lsv_sts_assume_by_token(visit->search, &role, token_path,
		                               out);
	if (get(visit, "mfa_serial"))
		return lsv_credential_fail(
			visit->search, -EACCES,
			"profile '%s' wants a person with a second factor "
			"(mfa_serial): use one that does not",
			visit->name);
	r = base_of(visit, &base);
	return r < 0 ? r : lsv_sts_assume(visit->search, &role, &base, out);
}

static int refuse_strangers(const struct visit *visit)
{
	static const struct {
		const char *key, *what;
	} strangers[] = {
		{"credential_process", "a program to be started"},
		{"sso_session", "a sign-in with a browser"},
		{"sso_start_url", "a sign-in with a browser"},
	};

	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (get(visit, strangers[i].key))
			return lsv_credential_fail(
				visit->search, -EACCES,
				"profile '%s' needs %s (%s), which is not "
				"done inside an application: give it keys, a "
				"role, or AWS_ACCESS_KEY_ID and "
				"AWS_SECRET_ACCESS_KEY in the environment",
				visit->name, strangers[i].what,
				strangers[i].key);
	return -ENOENT;
}

static int resolve(const struct visit *visit, struct lsv_credential *out)
{
	int r;

	if (visit->depth > DEPTH_MAX)
		return lsv_credential_fail(
			visit->search, -EACCES,
			"the source_profile of profile '%s' leads in a circle",
			visit->name);
	if (get(visit, "role_arn"))
		return role_of(visit, out);
	r = keys_of(visit, out);
	return r == -ENOENT ? refuse_strangers(visit) : r;
}

int lsv_credential_from_profile(struct lsv_credential_search *search,
                                struct lsv_credential *out)
{
	auto_profiles struct lsv_profiles *profiles = NULL;
	char why[LSV_PROFILE_WHY_SIZE] = "";
	bool is_chosen;
	const char *name = lsv_profile_name(&is_chosen);
	int r = lsv_profiles_open(why, &profiles);
	struct visit visit = {search, profiles, name, 0};

	if (r == -EBADMSG)
		return lsv_credential_fail(search, -EACCES, "%s", why);
	if (r < 0)
		return r;
	visit.profiles = profiles;
	r = resolve(&visit, out);
	if (r != -ENOENT || !is_chosen)
		return r;
	return lsv_credential_fail(search, -EACCES,
	                           lsv_profiles_has(profiles, name)
	                                   ? "profile '%s' (AWS_PROFILE) has "
	                                     "no credentials in it"
	                                   : "profile '%s' (AWS_PROFILE) is "
	                                     "in neither file of ~/.aws",
	                           name);
}
