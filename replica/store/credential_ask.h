/* SPDX-License-Identifier: MIT */
#ifndef LSV_CREDENTIAL_ASK_H
#define LSV_CREDENTIAL_ASK_H

/* One small question to a service that gives credentials, asked again when it
 * was not heard. */

#include "replica/store/credential_source.h"
#include "replica/store/http.h"

struct lsv_ask {
	const char *what; /* "the instance metadata service" */
	const char *method;
	const char *url;
	const char *const *headers; /* up to NULL; or NULL */
	const char *body;           /* NULL: none */
	bool is_near; /* on this machine or its host: no proxy, and an answer
	                 within a second, or never */
};

/* 0: an answer, whatever its status (but none of 5xx or 429).  Else -EAGAIN
 * or what lsv_http_do() has, said in search->why. */
int lsv_credential_ask(struct lsv_credential_search *search,
                       const struct lsv_ask *ask,
                       struct lsv_http_response *response);

/* The time at which a credential expires, by our own clock, however wrong that
 * one is. */
void lsv_credential_set_clock(const struct lsv_http_response *response,
                              struct lsv_credential *credential);

/* The keys in an answer of JSON, their time by our own clock.  -EBADMSG: there
 * are none. */
int lsv_credential_answer(const struct lsv_http_response *response,
                          struct lsv_credential *out);

/* Frees an answer with a secret in it. */
void lsv_credential_ask_end(struct lsv_http_response *response);
#define auto_answer __attribute__((cleanup(lsv_credential_ask_end)))

#endif
