/* SPDX-License-Identifier: MIT */
#include "replica/store/s3_xml.h"

#include "replica/base/stream.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 16

struct reading {
	XML_Parser parser;
	lsv_xml_fn *each;
	void *arg;
	struct lsv_buf path; /* "a/b", without a final zero */
	struct lsv_buf text; /* since the last tag */
	int depth;
	int r;
};

static void stop(struct reading *reading, int r)
{
	reading->r = r;
	XML_StopParser(reading->parser, XML_FALSE);
}

static void XMLCALL begin(void *arg, const XML_Char *name,
                          const XML_Char **attributes)
{
	struct reading *reading = arg;
	int r = 0;

	(void)attributes;
	if (++reading->depth > DEPTH_MAX) {
		stop(reading, -EPROTO);
		return;
	}
	if (reading->path.n)
		r = lsv_buf_append(&reading->path, "/", 1);
	if (r == 0)
		r = lsv_buf_append(&reading->path, name, strlen(name));
	reading->text.n = 0;
	if (r < 0)
		stop(reading, r);
}

/* The texts as C has them, for the time of the call. */
static int tell(struct reading *reading)
{
	int r = lsv_buf_append(&reading->path, "", 1);

	if (r == 0)
		r = lsv_buf_append(&reading->text, "", 1);
	if (r == 0)
		r = reading->each(reading->arg,
		                  (const char *)reading->path.data,
		                  (const char *)reading->text.data);
	if (reading->path.n)
		reading->path.n--;
	return r;
}

static void XMLCALL end(void *arg, const XML_Char *name)
{
	struct reading *reading = arg;
	size_t n = strlen(name);
	int r = tell(reading);

	reading->depth--;
	reading->text.n = 0;
	reading->path.n -= reading->path.n > n ? n + 1 : n;
	if (r != 0)
		stop(reading, r);
}

static void XMLCALL text(void *arg, const XML_Char *bytes, int n)
{
	struct reading *reading = arg;
	int r = lsv_buf_append(&reading->text, bytes, (size_t)n);

	if (r < 0)
		stop(reading, r);
}

int lsv_xml_read(const void *bytes, size_t n, lsv_xml_fn *each, void *arg)
{
	struct reading reading = {.each = each, .arg = arg};
	enum XML_Status status;

	if (n > INT_MAX)
		return -EPROTO;
	reading.parser = XML_ParserCreate(NULL);
	if (!reading.parser)
		return -ENOMEM;
	XML_SetUserData(reading.parser, &reading);
	XML_SetElementHandler(reading.parser, begin, end);
	XML_SetCharacterDataHandler(reading.parser, text);
	status = XML_Parse(reading.parser, bytes, (int)n, 1);
	if (status != XML_STATUS_OK && reading.r == 0)
		reading.r = -EPROTO;
	XML_ParserFree(reading.parser);
	lsv_buf_free(&reading.path);
	lsv_buf_free(&reading.text);
	return reading.r;
}

struct wanted {
	const char *path;
	char *text;
};

static int take_wanted(void *arg, const char *path, const char *text_there)
{
	struct wanted *wanted = arg;

	if (strcmp(path, wanted->path) != 0)
		return 0;
	wanted->text = strdup(text_there);
	return wanted->text ? 1 : -ENOMEM;
}

int lsv_xml_get(const void *bytes, size_t n, const char *path, char **out)
{
	struct wanted wanted = {path, NULL};
	int r = lsv_xml_read(bytes, n, take_wanted, &wanted);

	if (r == -ENOMEM)
		return r;
	if (!wanted.text)
		return -ENOENT;
	*out = wanted.text;
	return 0;
}
