/* SPDX-License-Identifier: MIT */
#ifndef LSV_CREDENTIAL_H
#define LSV_CREDENTIAL_H

/*
 * Who we are to a store: an access key, from the first source that has one
 * (design.md section 12).  Secrets never reach a log (I15).
 */

#include "replica/base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

struct lsv_credential {
	char *key_id; /* NULL: anonymous, requests are not signed */
	char *secret;
	char *token;        /* of a session; NULL: none */
	int64_t expires_ns; /* time of day; 0: never */
};

/* Wipes and frees what it holds. */
void lsv_credential_free(struct lsv_credential *credential);
#define auto_credential __attribute__((cleanup(lsv_credential_free)))

/* What the configuration says; NULL: it does not.  Borrowed for the call. */
struct lsv_credential_options {
	const char *key_id;
	const char *secret;
	const char *token;
	bool is_anonymous;
	const char *ca_file; /* for those sources that are asked by HTTPS */
};

/* The sources, tried in their order; what was found is kept until shortly
 * before it expires.  May be used from several threads at once. */
struct lsv_credentials;

/* Asks nobody yet.  options NULL: none. */
int lsv_credentials_open(const struct lsv_credential_options *options,
                         struct lsv_credentials **out);
void lsv_credentials_close(struct lsv_credentials *chain); /* NULL is fine */

/* A copy for the caller to free.  'renew': the last one was refused, ask again.
 * -EACCES: no source has one; -EAGAIN: one has, but does not answer now. */
int lsv_credentials_get(struct lsv_credentials *chain, bool renew,
                        struct lsv_credential *out);

/* Why the last get failed: cause and remedy, without a secret; "": it did not.
 */
#define LSV_CREDENTIALS_WHY_SIZE 400
void lsv_credentials_why(struct lsv_credentials *chain,
                         char why[LSV_CREDENTIALS_WHY_SIZE]);

LSV_AUTO(credentials, struct lsv_credentials, lsv_credentials_close)
#define auto_credentials __attribute__((cleanup(lsv_auto_credentials)))

#endif
