/* SPDX-License-Identifier: MIT */
#ifndef LSV_URL_H
#define LSV_URL_H

/* URLs of replicas (design.md section 12). */

#include <stdbool.h>
#include <stddef.h>

/* "word://..." is a URL, all else a path... */
bool lsv_url_has_scheme(const char *text);

/* ...but for what was meant to be a URL: "word:/...", and "word:..." of a
 * scheme that there is. */
bool lsv_url_is_misspelt(const char *text);

/* Without its %XX; a new string.  NULL: a bad escape or a zero (or out of
 * memory). */
char *lsv_url_decode(const char *text);

/* The path of "file://" + rest: absolute, on this machine, percent-decoded;
 * a new string.  -EINVAL: another host, a query, a bad escape or a zero. */
int lsv_url_file_path(const char *rest, char **path);

/* Whether digits stand behind the last colon of a host of n bytes, if any. */
bool lsv_url_has_port(const char *host, size_t n);

/* What of a URL may be said, cut to fit: neither its query nor what somebody
 * took for a place for keys (I15). */
#define LSV_URL_SHOWN_SIZE 256
void lsv_url_show(const char *url, char *text, size_t size);

#endif
