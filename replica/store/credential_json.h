/* SPDX-License-Identifier: MIT */
#ifndef LSV_CREDENTIAL_JSON_H
#define LSV_CREDENTIAL_JSON_H

/*
 * What the metadata services of machines and containers answer:
 *
 *	{"Code": "Success", "AccessKeyId": "...", "SecretAccessKey": "...",
 *	 "Token": "...", "Expiration": "2026-11-24T20:00:00Z"}
 *
 * or, of an error, {"code": "...", "message": "..."}.
 */

#include "replica/store/credential.h"

#include <stddef.h>

/* -EBADMSG: not that. */
int lsv_credential_json_parse(const void *text, size_t n,
                              struct lsv_credential *out);

/* The code of an error, or "". */
#define LSV_CREDENTIAL_CODE_SIZE 80
void lsv_credential_json_error(const void *text, size_t n,
                               char code[LSV_CREDENTIAL_CODE_SIZE]);

#endif
