/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_HUMAN_H
#define LSVFS_HUMAN_H

/* What people read: spans of time, sizes, colours. */

#include <stdbool.h>
#include <stdint.h>

/* A span of time as Litestream writes it, by Go's rules: "1.5s", "2h0m3s",
 * "340ms", cut to what matters at its size. */
#define HUMAN_SPAN_TEXT 32
void human_span(int64_t ns, char text[HUMAN_SPAN_TEXT]);

/* A moment in RFC 3339, UTC, whole seconds. */
#define HUMAN_TIME_TEXT 24
void human_time(int64_t ns, char text[HUMAN_TIME_TEXT]);

/* A size: for a person ("1.5 MB") where stdout is a terminal, in bytes
 * elsewhere, as scripts written for Litestream expect. */
#define HUMAN_SIZE_TEXT 24
void human_size(uint64_t n_bytes, char text[HUMAN_SIZE_TEXT]);

/* stdout is a terminal that has colours, and $NO_COLOR does not forbid. */
bool human_has_colours(void);

#define HUMAN_BOLD "\033[1m"
#define HUMAN_RED "\033[31m"
#define HUMAN_GREEN "\033[32m"
#define HUMAN_YELLOW "\033[33m"
#define HUMAN_PLAIN "\033[0m"

#endif
