/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_document.h"

#include <errno.h>

/* What libyaml does with anchors takes the square of their number. */
#define MAX_ANCHORS 1000
#define MAX_DEPTH 32
#define MAX_EVENTS 400000

struct count {
	size_t n_events, n_anchors, n_documents, depth;
};

struct lsv_mark lsv_document_mark(const yaml_mark_t *mark)
{
	return (struct lsv_mark){(int)mark->line + 1, (int)mark->column + 1};
}

static int explain(const yaml_parser_t *parser, struct lsv_problem *problem)
{
	struct lsv_mark mark = lsv_document_mark(&parser->problem_mark);
	const char *what = parser->problem ? parser->problem : "not YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	/* A byte that is no UTF-8 has an offset, and no mark. */
	if (parser->error == YAML_READER_ERROR)
		return lsv_problem_set(problem,
		                       lsv_document_mark(&parser->mark),
		                       "not YAML: %s (near byte %zu)", what,
		                       parser->problem_offset);
	return lsv_problem_set(problem, mark, "not YAML: %s%s%s", what,
	                       parser->context ? ", " : "",
	                       parser->context ? parser->context : "");
}

static int refuse(const yaml_event_t *event, struct lsv_problem *problem,
                  const char *why)
{
	return lsv_problem_set(problem, lsv_document_mark(&event->start_mark),
	                       "%s", why);
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	case YAML_ALIAS_EVENT:
		return event->data.alias.anchor;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return NULL;
	}
	return NULL;
}

static int count_event(const yaml_event_t *event, struct count *count,
                       struct lsv_problem *problem)
{
	bool begins = event->type == YAML_SEQUENCE_START_EVENT ||
	              event->type == YAML_MAPPING_START_EVENT;
	bool ends = event->type == YAML_SEQUENCE_END_EVENT ||
	            event->type == YAML_MAPPING_END_EVENT;

	count->n_events++;
	count->n_anchors += anchor_of(event) != NULL;
	count->n_documents += event->type == YAML_DOCUMENT_START_EVENT;
	count->depth += begins;
	count->depth -= ends;
	if (count->n_documents > 1)
		return refuse(event, problem,
		              "a second document ('---'): one is expected");
	if (count->n_anchors > MAX_ANCHORS)
		return refuse(event, problem, "too many anchors and aliases");
	if (count->depth > MAX_DEPTH)
		return refuse(event, problem, "nested too deep");
	if (count->n_events > MAX_EVENTS)
		return refuse(event, problem, "too large");
	return 0;
}

static int look_through(yaml_parser_t *parser, struct lsv_problem *problem)
{
	struct count count = {0};
	bool is_end = false;
	int r = 0;

	while (r == 0 && !is_end) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return explain(parser, problem);
		is_end = event.type == YAML_STREAM_END_EVENT;
		r = count_event(&event, &count, problem);
		yaml_event_delete(&event);
	}
	return r;
}

static int build(yaml_parser_t *parser, yaml_document_t *document,
                 struct lsv_problem *problem)
{
	return yaml_parser_load(parser, document) ? 0
	                                          : explain(parser, problem);
}

static int with_parser(const char *text, size_t n, yaml_document_t *document,
                       struct lsv_problem *problem)
{
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	r = document ? build(&parser, document, problem)
	             : look_through(&parser, problem);
	yaml_parser_delete(&parser);
	return r;
}

int lsv_document_load(const char *text, size_t n, yaml_document_t *document,
                      struct lsv_problem *problem)
{
	int r = with_parser(text, n, NULL, problem);

	return r < 0 ? r : with_parser(text, n, document, problem);
}
