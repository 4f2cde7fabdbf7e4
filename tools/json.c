/* SPDX-License-Identifier: MIT */
#include "tools/json.h"

#include "replica/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 8

struct json {
	json_t *open[MAX_DEPTH]; /* from the document to the innermost */
	int depth;
	bool has_failed;
};

struct json *json_open(void)
{
	struct json *json = calloc(1, sizeof *json);

	if (json)
		json->open[json->depth++] = json_object();
	return json;
}

/* Takes over the value. */
static void add(struct json *json, const char *name, json_t *value)
{
	json_t *into;
	int failed;

	if (!json)
		return json_decref(value);
	into = json->open[json->depth - 1];
	failed = name ? json_object_set_new(into, name, value)
	              : json_array_append_new(into, value);
	json->has_failed |= failed != 0;
}

void json_text(struct json *json, const char *name, const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	/* A path need not be UTF-8, JSON must. */
	if (text && !value)
		value = json_string("(not UTF-8)");
	add(json, name, value);
}

void json_int(struct json *json, const char *name, int64_t value)
{
	add(json, name, json_integer(value));
}

void json_bool(struct json *json, const char *name, bool value)
{
	add(json, name, json_boolean(value));
}

void json_time(struct json *json, const char *name, int64_t ns)
{
	char text[LSV_TIME_TEXT_SIZE];

	lsv_time_format(ns, text);
	add(json, name, json_string(text));
}

void json_hex64(struct json *json, const char *name, uint64_t value)
{
	char text[17];

	snprintf(text, sizeof text, "%016" PRIx64, value);
	add(json, name, json_string(text));
}

static void begin(struct json *json, const char *name, json_t *value)
{
	add(json, name, value);
	if (!json)
		return;
	assert(json->depth < MAX_DEPTH);
	/* Borrowed from the one above; NULL is remembered by add(). */
	json->open[json->depth++] = value;
}

void json_begin_object(struct json *json, const char *name)
{
	begin(json, name, json_object());
}

void json_begin_array(struct json *json, const char *name)
{
	begin(json, name, json_array());
}

void json_end(struct json *json)
{
	if (!json)
		return;
	assert(json->depth > 1);
	json->depth--;
}

int json_print(struct json *json)
{
	int r = -ENOMEM;

	if (!json)
		return r;
	assert(json->depth == 1);
	if (!json->has_failed && json->open[0]) {
		r = json_dumpf(json->open[0], stdout, JSON_INDENT(2));
		r = r < 0 || putchar('\n') == EOF || fflush(stdout) == EOF
		            ? -EIO
		            : 0;
	}
	json_decref(json->open[0]);
	free(json);
	return r;
}
