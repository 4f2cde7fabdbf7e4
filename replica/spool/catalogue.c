/* SPDX-License-Identifier: MIT */
#include "replica/spool/catalogue.h"

#include "replica/base/cleanup.h"
#include "replica/base/crc32c.h"
#include "replica/base/fileio.h"
#include "replica/base/stream.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A million objects; what is larger is made anew. */
#define SIZE_MAX_OF_FILE ((size_t)128 << 20)
#define LINE_SIZE 512
#define CRC_SIZE 9 /* with the space before it */

void lsv_stored_free(struct lsv_stored_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->at[i].name);
	free(list->at);
	*list = (struct lsv_stored_list){0};
}

char *lsv_catalogue_path(const char *dir, uint64_t url_hash)
{
	return lsv_sprintf("%s/catalogue-%016" PRIx64, dir, url_hash);
}

/* A line of the file. */
struct line {
	char event;
	int64_t time_ns;
	char *name;
};
LSV_VECTOR(lines, struct line)

/* Its length, or -ENAMETOOLONG. */
static int format_line(enum lsv_catalogue_event event, const char *name,
                       int64_t time_ns, char text[LINE_SIZE])
{
	int n = snprintf(text, LINE_SIZE, "%c %" PRId64 " %s", (char)event,
	                 time_ns, name);

	if (n < 0 || n + CRC_SIZE + 1 >= LINE_SIZE)
		return -ENAMETOOLONG;
	return n + snprintf(text + n, LINE_SIZE - (size_t)n, " %08" PRIx32 "\n",
	                    lsv_crc32c(text, (size_t)n));
}

int lsv_catalogue_note(const char *path, enum lsv_catalogue_event event,
                       const char *name, int64_t time_ns)
{
	auto_close int fd = lsv_spool_open(path, O_WRONLY | O_APPEND, 0);
	char text[LINE_SIZE];
	int n;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = format_line(event, name, time_ns, text);
	return n < 0 ? n : lsv_write(fd, text, (size_t)n);
}

/* 'text' is changed, and the name points into it.  False: torn. */
static bool parse_line(char *text, struct line *line)
{
	size_t n = strlen(text);
	char crc[CRC_SIZE + 1];
	char *end;

	if (n <= CRC_SIZE + 4 || !strchr("?+-", text[0]) || text[1] != ' ')
		return false;
	n -= CRC_SIZE;
	snprintf(crc, sizeof crc, " %08" PRIx32, lsv_crc32c(text, n));
	if (strcmp(crc, text + n) != 0)
		return false;
	text[n] = 0;
	*line = (struct line){text[0], strtoll(text + 2, &end, 10), end + 1};
	return *end == ' ';
}

static int parse(char *text, struct lines *lines)
{
	char *one;

	while ((one = strsep(&text, "\n")) != NULL) {
		struct line line;
		int r = parse_line(one, &line) ? lines_append(lines, line) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int by_name_and_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	/* Names point into the file: the later line, the higher address. */
	return r ? r : (x->name > y->name) - (x->name < y->name);
}

static int keep(const struct line *line, struct lsv_stored_list *there)
{
	struct lsv_stored stored = {strdup(line->name), line->time_ns,
	                            line->event == LSV_CATALOGUE_PUTTING};
	int r = stored.name ? lsv_stored_list_append(there, stored) : -ENOMEM;

	if (r < 0)
		free(stored.name);
	return r;
}

/* The last event of each name. */
static int fold(struct lines *lines, struct lsv_stored_list *there)
{
	int r = 0;

	if (lines->n)
		qsort(lines->at, lines->n, sizeof *lines->at,
		      by_name_and_place);
	for (size_t i = 0; i < lines->n && r == 0; i++) {
		const struct line *line = &lines->at[i];

		if (i + 1 < lines->n && strcmp(line->name, line[1].name) == 0)
			continue;
		if (line->event != LSV_CATALOGUE_REMOVED)
			r = keep(line, there);
	}
	return r;
}

int lsv_catalogue_read(const char *path, struct lsv_stored_list *there)
{
	auto_free char *text = NULL;
	struct lsv_stored_list list = {0};
	struct lines lines = {0};
	size_t n;
	int r = lsv_file_read(path, SIZE_MAX_OF_FILE, &text, &n);

	if (r < 0)
		return r == -EFBIG ? -ENOENT : r;
	r = parse(text, &lines);
	if (r == 0)
		r = fold(&lines, &list);
	free(lines.at);
	if (r < 0)
		lsv_stored_free(&list);
	else
		*there = list;
	return r;
}

int lsv_catalogue_write(const char *path, const struct lsv_stored_list *there,
                        mode_t mode)
{
	auto_buf struct lsv_buf text = {0};

	for (size_t i = 0; i < there->n; i++) {
		const struct lsv_stored *stored = &there->at[i];
		char line[LINE_SIZE];
		int n = format_line(stored->is_doubtful ? LSV_CATALOGUE_PUTTING
		                                        : LSV_CATALOGUE_PUT,
		                    stored->name, stored->time_ns, line);
		int r = n < 0 ? n : lsv_buf_append(&text, line, (size_t)n);

		if (r < 0)
			return r;
	}
	return lsv_spool_replace(path, text.data ? text.data : (void *)"",
	                         text.n, mode, false);
}
