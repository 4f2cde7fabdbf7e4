/* SPDX-License-Identifier: MIT */
#ifndef LSV_HTTP_HEADER_H
#define LSV_HTTP_HEADER_H

/* The head of an answer, a line at a time. */

#include "replica/store/http.h"

/* Takes in one line as it came: a status line begins a new head (the one
 * before was "100 Continue" or such); a header that nobody asks for is
 * passed over. */
void lsv_http_header(struct lsv_http_response *response, const char *line,
                     size_t n);

/* "Tue, 24 Nov 2026 17:51:21 GMT" as nanoseconds since 1970; 0: not that. */
int64_t lsv_http_date(const char *text);

#endif
