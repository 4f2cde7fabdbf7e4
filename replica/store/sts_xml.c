/* SPDX-License-Identifier: MIT */
#include "replica/store/sts_xml.h"

#include "replica/base/clock.h"
#include "replica/base/stream.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE_MAX ((size_t)64 * 1024)

/* The text of one element below a parent. */
struct field {
	const char *parent, *name;
	struct lsv_buf text;
};

#define N_FIELDS 6
enum { KEY_ID, SECRET, TOKEN, EXPIRES, CODE, MESSAGE };

struct parse {
	XML_Parser parser;
	struct field fields[N_FIELDS];
	struct field *open; /* whose text comes now */
	const char *parent; /* which we are in; NULL: in none of ours */
	int depth, parent_depth;
	int error;
};

static void wipe(struct lsv_buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->n);
	lsv_buf_free(buf);
}

static void on_begin(void *arg, const XML_Char *name, const XML_Char **attrs)
{
	struct parse *parse = arg;

	(void)attrs;
	parse->depth++;
	parse->open = NULL;
	for (size_t i = 0; i < N_FIELDS; i++) {
		struct field *field = &parse->fields[i];

		if (!parse->parent && strcmp(field->parent, name) == 0) {
			parse->parent = field->parent;
			parse->parent_depth = parse->depth;
			return;
		}
		if (parse->parent &&
		    strcmp(field->parent, parse->parent) == 0 &&
		    parse->depth == parse->parent_depth + 1 &&
		    strcmp(field->name, name) == 0) {
			field->text.n = 0;
			parse->open = field;
			return;
		}
	}
}

static void on_end(void *arg, const XML_Char *name)
{
	struct parse *parse = arg;

	(void)name;
	parse->open = NULL;
	if (parse->depth-- == parse->parent_depth)
		parse->parent = NULL;
}

static void on_text(void *arg, const XML_Char *text, int n)
{
	struct parse *parse = arg;
	struct field *field = parse->open;

	if (!field || parse->error)
		return;
	if (field->text.n + (size_t)n > TEXT_SIZE_MAX)
		parse->error = -EBADMSG;
	else
		parse->error = lsv_buf_append(&field->text, text, (size_t)n);
}

/* No answer of a service has a document type: nothing to expand. */
static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_internal)
{
	struct parse *parse = arg;

	(void)name;
	(void)system;
	(void)public;
	(void)has_internal;
	parse->error = -EBADMSG;
	XML_StopParser(parse->parser, XML_FALSE);
}

static int run(struct parse *parse, const void *text, size_t n)
{
	int r = 0;

	if (n > INT32_MAX)
		return -EBADMSG;
	parse->parser = XML_ParserCreate(NULL);
	if (!parse->parser)
		return -ENOMEM;
	XML_SetUserData(parse->parser, parse);
	XML_SetElementHandler(parse->parser, on_begin, on_end);
	XML_SetCharacterDataHandler(parse->parser, on_text);
	XML_SetStartDoctypeDeclHandler(parse->parser, on_doctype);
	if (XML_Parse(parse->parser, text, (int)n, 1) != XML_STATUS_OK)
		r = XML_GetErrorCode(parse->parser) == XML_ERROR_NO_MEMORY
		            ? -ENOMEM
		            : -EBADMSG;
	XML_ParserFree(parse->parser);
	return parse->error ? parse->error : r;
}

static struct parse prepare(void)
{
	return (struct parse){
		.fields = {
			[KEY_ID] = {"Credentials", "AccessKeyId", {0}},
			[SECRET] = {"Credentials", "SecretAccessKey", {0}},
			[TOKEN] = {"Credentials", "SessionToken", {0}},
			[EXPIRES] = {"Credentials", "Expiration", {0}},
			[CODE] = {"Error", "Code", {0}},
			[MESSAGE] = {"Error", "Message", {0}},
		}};
}

static void finish(struct parse *parse)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		wipe(&parse->fields[i].text);
}

/* Without white space around, nor any within: it goes into a header. */
static int get(const struct parse *parse, size_t i, char **value)
{
	const struct lsv_buf *text = &parse->fields[i].text;
	const char *from = (const char *)text->data;
	size_t n = text->n;

	for (; n && isspace((unsigned char)*from); n--)
		from++;
	while (n && isspace((unsigned char)from[n - 1]))
		n--;
	for (size_t k = 0; k < n; k++)
		if (!isgraph((unsigned char)from[k]))
			return -EBADMSG;
	if (!n)
		return -EBADMSG;
	*value = strndup(from, n);
	return *value ? 0 : -ENOMEM;
}

static int read_credential(const struct parse *parse,
                           struct lsv_credential *found)
{
	auto_free char *expires = NULL;
	int r = get(parse, KEY_ID, &found->key_id);

	if (r == 0)
		r = get(parse, SECRET, &found->secret);
	if (r == 0)
		r = get(parse, TOKEN, &found->token);
	if (r == 0)
		r = get(parse, EXPIRES, &expires);
	if (r == 0 && lsv_time_parse(expires, &found->expires_ns) < 0)
		r = -EBADMSG;
	return r;
}

int lsv_sts_parse(const void *text, size_t n, struct lsv_credential *out)
{
	struct parse parse = prepare();
	struct lsv_credential found = {0};
	int r = run(&parse, text, n);

	if (r == 0)
		r = read_credential(&parse, &found);
	finish(&parse);
	if (r < 0)
		lsv_credential_free(&found);
	else
		*out = found;
	return r;
}

/* For one line of a log. */
static void tell(const struct lsv_buf *text, char *into, size_t size)
{
	size_t n = text->n < size ? text->n : size - 1;

	for (size_t i = 0; i < n; i++)
		into[i] = isprint(text->data[i]) ? (char)text->data[i] : ' ';
	into[n] = 0;
}

void lsv_sts_parse_error(const void *text, size_t n,
                         struct lsv_sts_error *error)
{
	struct parse parse = prepare();

	/* What came before an error in it is as good. */
	(void)run(&parse, text, n);
	tell(&parse.fields[CODE].text, error->code, sizeof error->code);
	tell(&parse.fields[MESSAGE].text, error->message,
	     sizeof error->message);
	finish(&parse);
}
