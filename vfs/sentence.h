/* SPDX-License-Identifier: MIT */
#ifndef LSV_SENTENCE_H
#define LSV_SENTENCE_H

/*
 * A sentence about a database that seldom has one: why something ended, what
 * failed last.  NULL: there is none.  Where there is no memory for it, there is
 * one that says so, since that there is one counts.
 */

#define LSV_SENTENCE_SIZE 600 /* longer ones are cut */

void lsv_sentence_set(char **sentence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void lsv_sentence_clear(char **sentence);
/* From one place to another; there is none at the first one then. */
void lsv_sentence_move(char **from, char **to);

#endif
