/* SPDX-License-Identifier: MIT */
#ifndef LSV_QUOTE_H
#define LSV_QUOTE_H

#include <stdio.h>

/* A string of JSON (RFC 8259, section 7), with its quotes. */
void lsv_quote_json(FILE *out, const char *text);

#endif
