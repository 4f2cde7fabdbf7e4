/* SPDX-License-Identifier: MIT */
#include "tools/columns.h"

#include "replica/base/vector.h"
#include "tools/human.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

LSV_VECTOR(cells, char *)

struct columns {
	struct cells cells; /* row by row */
	size_t n_columns;
	bool has_failed;
};

static void add(struct columns *columns, char *text)
{
	if (!text || cells_append(&columns->cells, text) < 0) {
		columns->has_failed = true;
		free(text);
	}
}

struct columns *columns_open(const char *const *names)
{
	struct columns *columns = calloc(1, sizeof *columns);

	for (; columns && *names; names++) {
		add(columns, strdup(*names));
		columns->n_columns++;
	}
	return columns;
}

void columns_cell(struct columns *columns, const char *format, ...)
{
	char *text;
	va_list args;

	if (!columns)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	add(columns, text);
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void print_cell(const struct columns *columns, size_t i)
{
	size_t column = i % columns->n_columns, width = 0;
	const char *text = columns->cells.at[i];

	if (column + 1 == columns->n_columns) {
		printf("%s\n", text);
		return;
	}
	for (size_t k = column; k < columns->cells.n; k += columns->n_columns)
		if (width_of(columns->cells.at[k]) > width)
			width = width_of(columns->cells.at[k]);
	printf("%s%*s", text, (int)(width + 2 - width_of(text)), "");
}

static void print(const struct columns *columns)
{
	bool bold = human_has_colours();

	for (size_t i = 0; i < columns->cells.n; i++) {
		if (bold && i == 0)
			fputs(HUMAN_BOLD, stdout);
		if (bold && i == columns->n_columns)
			fputs(HUMAN_PLAIN, stdout);
		print_cell(columns, i);
	}
	if (bold && columns->cells.n == columns->n_columns)
		fputs(HUMAN_PLAIN, stdout);
}

int columns_print(struct columns *columns)
{
	int r = -ENOMEM;

	if (!columns)
		return r;
	if (!columns->has_failed && columns->n_columns > 0) {
		print(columns);
		r = fflush(stdout) == EOF || ferror(stdout) ? -EIO : 0;
	}
	for (size_t i = 0; i < columns->cells.n; i++)
		free(columns->cells.at[i]);
	free(columns->cells.at);
	free(columns);
	return r;
}
