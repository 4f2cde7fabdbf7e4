/* SPDX-License-Identifier: MIT */
#ifndef LSV_STS_XML_H
#define LSV_STS_XML_H

/*
 * What AWS STS answers:
 *
 *	<AssumeRole...Response><AssumeRole...Result><Credentials>
 *	  <AccessKeyId/><SecretAccessKey/><SessionToken/><Expiration/>
 *
 * or <ErrorResponse><Error><Code/><Message/>.
 */

#include "replica/store/credential.h"

#include <stddef.h>

/* -EBADMSG: not that. */
int lsv_sts_parse(const void *text, size_t n, struct lsv_credential *out);

struct lsv_sts_error {
	char code[80];
	char message[200]; /* cut to fit */
};

/* What of it is there; else "". */
void lsv_sts_parse_error(const void *text, size_t n,
                         struct lsv_sts_error *error);

#endif
