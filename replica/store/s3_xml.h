/* SPDX-License-Identifier: MIT */
#ifndef LSV_S3_XML_H
#define LSV_S3_XML_H

/* The XML of S3's answers: small, flat, known beforehand. */

#include <stddef.h>

/* At the end of each element: its path from the root ("Error/Code"), and the
 * text in it.  A non-zero return ends the reading with it. */
typedef int lsv_xml_fn(void *arg, const char *path, const char *text);

/* -EPROTO: it is not well-formed. */
int lsv_xml_read(const void *bytes, size_t n, lsv_xml_fn *each, void *arg);

/* The text of the first element with that path, a new string.  -ENOENT: there
 * is none (in what can be read of it). */
int lsv_xml_get(const void *bytes, size_t n, const char *path, char **text);

#endif
