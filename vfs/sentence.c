/* SPDX-License-Identifier: MIT */
#include "vfs/sentence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char no_memory[] = "there is no memory to say why";

void lsv_sentence_clear(char **sentence)
{
	if (*sentence != no_memory)
		free(*sentence);
	*sentence = NULL;
}

void lsv_sentence_set(char **sentence, const char *format, ...)
{
	char text[LSV_SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	lsv_sentence_clear(sentence);
	*sentence = strdup(text);
	if (!*sentence)
		*sentence = no_memory;
}

void lsv_sentence_move(char **from, char **to)
{
	char *moved = *from;

	*from = NULL;
	lsv_sentence_clear(to);
	*to = moved;
}
