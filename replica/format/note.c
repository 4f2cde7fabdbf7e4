/* SPDX-License-Identifier: MIT */
#include "replica/format/note.h"

#include "replica/base/fileio.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

LSV_AUTO(json, json_t, json_decref)
#define auto_json __attribute__((cleanup(lsv_auto_json)))

static bool is_utf8(const char *text)
{
	auto_json json_t *string = json_string(text);

	return string != NULL;
}

static int put_escaped(const char *text, bool keep_high, struct lsv_buf *into)
{
	for (; *text; text++) {
		bool keep = *text != '%' && (keep_high || !(*text & 0x80));
		char escape[4];
		int r;

		snprintf(escape, sizeof escape, "%%%02x",
		         (unsigned)(unsigned char)*text);
		r = keep ? lsv_buf_append(into, text, 1)
		         : lsv_buf_append(into, escape, 3);
		if (r < 0)
			return r;
	}
	return lsv_buf_append(into, "", 1);
}

static int set_field(json_t *object, const struct lsv_note_field *field)
{
	auto_buf struct lsv_buf text = {0};
	int r = put_escaped(field->value, is_utf8(field->value), &text);

	if (r < 0)
		return r;
	return json_object_set_new(object, field->name,
	                           json_string((char *)text.data)) < 0
	               ? -ENOMEM
	               : 0;
}

int lsv_note_encode(const struct lsv_note_field *fields, size_t n,
                    struct lsv_buf *into)
{
	auto_json json_t *object = json_object();
	auto_free char *text = NULL;
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++)
		if (fields[i].value)
			r = set_field(object, &fields[i]);
	if (r < 0)
		return r;
	text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	if (!text)
		return -ENOMEM;
	r = lsv_buf_append(into, text, strlen(text));
	return r < 0 ? r : lsv_buf_append(into, "\n", 1);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* %xx back into bytes, in place. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		int high = text[0] == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			text += 3;
		} else {
			*to++ = *text++;
		}
	}
	*to = 0;
}

int lsv_note_get(const struct lsv_buf *note, const char *name, char **value)
{
	auto_json json_t *object = json_loadb((const char *)note->data, note->n,
	                                      0, NULL);
	const json_t *field;
	char *text;

	if (!json_is_object(object))
		return -EBADMSG;
	field = json_object_get(object, name);
	if (!field)
		return -ENOENT;
	if (!json_is_string(field))
		return -EBADMSG;
	text = strdup(json_string_value(field));
	if (!text)
		return -ENOMEM;
	unescape(text);
	*value = text;
	return 0;
}

void lsv_host_read(struct lsv_host *host)
{
	auto_free char *id = NULL;

	memset(host, 0, sizeof *host);
	if (gethostname(host->name, sizeof host->name - 1) < 0)
		strcpy(host->name, "unknown");
	if (lsv_file_read("/etc/machine-id", sizeof host->machine_id - 1, &id,
	                  NULL) == 0)
		snprintf(host->machine_id, sizeof host->machine_id, "%.*s",
		         (int)strcspn(id, "\n"), id);
}
