/* SPDX-License-Identifier: MIT */
#ifndef LSV_CREDENTIAL_SOURCE_H
#define LSV_CREDENTIAL_SOURCE_H

/*
 * The places where a credential may be, one file each.  A source answers 0
 * with what it found, -ENOENT when it is not configured (the next one is
 * asked), or how it failed: who configured it wants no other one to step in.
 * Then 'why' says it, with the remedy and without a secret (I15).
 */

#include "replica/store/credential.h"
#include "replica/store/profile.h"

#include <stddef.h>

/* New strings in 'to'; what is "" becomes NULL. */
int lsv_credential_copy(const struct lsv_credential *from,
                        struct lsv_credential *to);

struct lsv_credential_search {
	const char *ca_file; /* NULL: the default */
	char why[LSV_CREDENTIALS_WHY_SIZE];
};

typedef int lsv_credential_source(struct lsv_credential_search *search,
                                  struct lsv_credential *out);

/* In the order of the chain. */
lsv_credential_source lsv_credential_from_litestream;   /* LITESTREAM_... */
lsv_credential_source lsv_credential_from_environment;  /* AWS_... */
lsv_credential_source lsv_credential_from_profile;      /* ~/.aws */
lsv_credential_source lsv_credential_from_web_identity; /* IRSA */
lsv_credential_source lsv_credential_from_container;    /* ECS, EKS */
lsv_credential_source lsv_credential_from_instance;     /* IMDSv2 */

/* Writes search->why and is 'r'. */
int lsv_credential_fail(struct lsv_credential_search *search, int r,
                        const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A role's name, and how to get it. */
struct lsv_role {
	const char *arn;
	const char *session;     /* NULL: one of ours */
	const char *external_id; /* NULL: none */
	const char *duration_s;  /* NULL: the service's default */
	const char *region;      /* NULL: the environment's */
};

/* AWS STS.  'base' signs. */
int lsv_sts_assume(struct lsv_credential_search *search,
                   const struct lsv_role *role,
                   const struct lsv_credential *base,
                   struct lsv_credential *out);

/* The token in 'token_path' instead of a signature. */
int lsv_sts_assume_by_token(struct lsv_credential_search *search,
                            const struct lsv_role *role, const char *token_path,
                            struct lsv_credential *out);

/* The small file at 'path', without the white space at its end.  -EACCES: it
 * cannot be read, is empty or has control characters. */
int lsv_credential_read_token(struct lsv_credential_search *search,
                              const char *path, char **token);

#endif
