/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_yaml.h"

#include "replica/base/clock.h"
#include "replica/ship/config_document.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
/* A file of the largest size with ordinary entries stays below. */
#define MAX_NODES 200000

struct walk {
	yaml_document_t *document;
	struct lsv_problem *problem;
	size_t n_nodes; /* visited; an alias counts each time */
};

static int read_group(struct walk *walk, const yaml_node_t *node,
                      struct lsv_group *group);

static struct lsv_mark mark_at(const yaml_node_t *node)
{
	return lsv_document_mark(&node->start_mark);
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool is_null(const yaml_node_t *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->type != YAML_SCALAR_NODE ||
	    node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return node->type == YAML_NO_NODE;
	for (size_t i = 0; i < LENGTH(words); i++) {
		if (strcmp(text_of(node), words[i]) == 0)
			return true;
	}
	return false;
}

static bool is_number(const char *text)
{
	char *end;

	errno = 0;
	(void)strtoll(text, &end, 0);
	return *text && !*end && !errno;
}

/* "5MiB", "1.5 GB", "100": what it comes to is no business of ours here. */
static bool is_size(const char *text)
{
	size_t n = strspn(text, "0123456789.");

	if (!isdigit((unsigned char)*text))
		return false;
	text += n + strspn(text + n, " ");
	if (*text && strchr("kKmMgGtT", *text))
		text++;
	if (*text == 'i' && text[1])
		text++;
	return !*text || strcasecmp(text, "b") == 0;
}

static const char *wanted(const struct lsv_key *key, const yaml_node_t *node)
{
	bool is_scalar = node->type == YAML_SCALAR_NODE;
	const char *text = is_scalar ? text_of(node) : NULL;
	int64_t ns;

	switch (key->type) {
	case LSV_KEY_TEXT:
	case LSV_KEY_SECRET:
		return is_scalar ? NULL : "a text";
	case LSV_KEY_DURATION:
		return text && lsv_duration_parse(text, &ns) == 0
		               ? NULL
		               : "a duration such as 10s, 5m or 24h";
	case LSV_KEY_BOOL:
		return text && lsv_group_parse_bool(text) >= 0
		               ? NULL
		               : "true or false";
	case LSV_KEY_NUMBER:
		return text && is_number(text) ? NULL : "a number";
	case LSV_KEY_SIZE:
		return text && is_size(text) ? NULL : "a size such as 64MiB";
	case LSV_KEY_TEXTS:
	case LSV_KEY_SECTIONS:
		return node->type == YAML_SEQUENCE_NODE
		               ? NULL
		               : "a list ('- ' before each entry)";
	case LSV_KEY_SECTION:
		return node->type == YAML_MAPPING_NODE ? NULL
		                                       : "keys of its own";
	}
	abort();
}

static const char *kind_of(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE     ? "a text"
	       : node->type == YAML_SEQUENCE_NODE ? "a list"
	                                          : "keys";
}

static int check_type(struct walk *walk, const struct lsv_key *key,
                      const yaml_node_t *node)
{
	const char *want = wanted(key, node);

	if (!want)
		return 0;
	if (node->type != YAML_SCALAR_NODE || key->type == LSV_KEY_SECRET)
		return lsv_problem_set(walk->problem, mark_at(node),
		                       "%s: expected %s, found %s", key->name,
		                       want, kind_of(node));
	return lsv_problem_set(walk->problem, mark_at(node),
	                       "%s: expected %s, found '%.80s'", key->name,
	                       want, text_of(node));
}

static int read_groups(struct walk *walk, const yaml_node_t *node,
                       struct lsv_value *value)
{
	const yaml_node_item_t *first = node->data.sequence.items.start;
	size_t n = (size_t)(node->data.sequence.items.top - first);
	int r = 0;

	value->groups = calloc(n + 1, sizeof *value->groups);
	if (!value->groups)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const yaml_node_t *item = yaml_document_get_node(walk->document,
		                                                 first[i]);

		if (item->type != YAML_MAPPING_NODE)
			return lsv_problem_set(
				walk->problem, mark_at(item),
				"%s: expected an entry with keys, found %s",
				value->key->name, kind_of(item));
		value->n_groups++;
		value->groups[i].section = value->key->section;
		r = read_group(walk, item, &value->groups[i]);
	}
	return r;
}

static int read_value(struct walk *walk, const yaml_node_t *node,
                      struct lsv_value *value)
{
	value->mark = mark_at(node);
	if (node->type == YAML_SCALAR_NODE) {
		value->text = strdup(text_of(node));
		return value->text ? 0 : -ENOMEM;
	}
	if (value->key->type == LSV_KEY_SECTIONS && value->key->section)
		return read_groups(walk, node, value);
	if (value->key->type != LSV_KEY_SECTION || !value->key->section)
		return 0;
	value->groups = calloc(1, sizeof *value->groups);
	if (!value->groups)
		return -ENOMEM;
	value->n_groups = 1;
	value->groups->section = value->key->section;
	return read_group(walk, node, value->groups);
}

/* A key that would have to do something and cannot; "" and "false" ask
 * nothing. */
static int check_refused(struct walk *walk, const struct lsv_key *key,
                         const yaml_node_t *at, const yaml_node_t *node)
{
	bool is_scalar = node->type == YAML_SCALAR_NODE;

	if (key->verdict != LSV_KEY_REFUSED || (is_scalar && !*text_of(node)) ||
	    (is_scalar && key->type == LSV_KEY_BOOL &&
	     lsv_group_parse_bool(text_of(node)) == 0))
		return 0;
	return lsv_problem_set(walk->problem, mark_at(at), "%s: %s", key->name,
	                       key->why);
}

static int unknown(struct walk *walk, const struct lsv_section *section,
                   const yaml_node_t *at)
{
	const char *guess = lsv_schema_guess(section, text_of(at));

	return lsv_problem_set(walk->problem, mark_at(at),
	                       "unknown key '%.80s' in %s%s%s%s", text_of(at),
	                       section->name, guess ? ": do you mean '" : "",
	                       guess ? guess : "", guess ? "'?" : "");
}

/* One key and what is behind it.  What comes by "<<" yields to what is
 * there. */
static int read_pair(struct walk *walk, const yaml_node_t *at,
                     const yaml_node_t *node, struct lsv_group *group,
                     bool is_merged)
{
	const struct lsv_key *key;
	const struct lsv_value *twin;
	int r;

	if (at->type != YAML_SCALAR_NODE)
		return lsv_problem_set(walk->problem, mark_at(at),
		                       "a key is expected here, found %s",
		                       kind_of(at));
	key = lsv_schema_find(group->section, text_of(at));
	if (!key)
		return unknown(walk, group->section, at);
	twin = lsv_group_find(group, key->name);
	if (twin && is_merged)
		return 0;
	if (twin)
		return lsv_problem_set(walk->problem, mark_at(at),
		                       "%s stands here twice (first at line "
		                       "%d)",
		                       key->name, twin->mark.line);
	if (is_null(node))
		return 0;
	r = check_type(walk, key, node);
	if (r == 0)
		r = check_refused(walk, key, at, node);
	if (r < 0)
		return r;
	group->values[group->n_values].key = key;
	return read_value(walk, node, &group->values[group->n_values++]);
}

static bool is_merge(const yaml_node_t *at)
{
	return at->type == YAML_SCALAR_NODE && strcmp(text_of(at), "<<") == 0;
}

/* Room for the pairs of one more mapping. */
static int make_room(struct lsv_group *group, size_t n_pairs)
{
	struct lsv_value *values = reallocarray(
		group->values, group->n_values + n_pairs + 1, sizeof *values);

	if (!values)
		return -ENOMEM;
	memset(values + group->n_values, 0, (n_pairs + 1) * sizeof *values);
	group->values = values;
	return 0;
}

static int count_node(struct walk *walk, const yaml_node_t *node, size_t n)
{
	walk->n_nodes += n + 1;
	return walk->n_nodes <= MAX_NODES
	               ? 0
	               : lsv_problem_set(walk->problem, mark_at(node),
	                                 "too much: its aliases come to more "
	                                 "than %d keys",
	                                 MAX_NODES);
}

/* The pairs of a mapping, or only those behind its "<<". */
static int read_pairs(struct walk *walk, const yaml_node_t *node,
                      struct lsv_group *group, bool is_merged)
{
	const yaml_node_pair_t *first = node->data.mapping.pairs.start;
	size_t n = (size_t)(node->data.mapping.pairs.top - first);
	int r = count_node(walk, node, n);

	if (r == 0)
		r = make_room(group, n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const yaml_node_t *at = yaml_document_get_node(walk->document,
		                                               first[i].key);

		if (is_merge(at))
			continue;
		r = read_pair(
			walk, at,
			yaml_document_get_node(walk->document, first[i].value),
			group, is_merged);
	}
	return r;
}

/* "<<: *defaults" and "<<: [*a, *b]": earlier ones win, own keys first. */
static int merge(struct walk *walk, const yaml_node_t *node,
                 struct lsv_group *group)
{
	const yaml_node_item_t *item;
	int r = 0;

	if (node->type == YAML_MAPPING_NODE)
		return read_pairs(walk, node, group, true);
	if (node->type != YAML_SEQUENCE_NODE)
		return lsv_problem_set(walk->problem, mark_at(node),
		                       "<<: expected an alias (*name) of keys, "
		                       "found %s",
		                       kind_of(node));
	for (item = node->data.sequence.items.start;
	     r == 0 && item < node->data.sequence.items.top; item++) {
		const yaml_node_t *from = yaml_document_get_node(walk->document,
		                                                 *item);

		r = from->type == YAML_MAPPING_NODE
		            ? read_pairs(walk, from, group, true)
		            : lsv_problem_set(walk->problem, mark_at(from),
		                              "<<: expected keys, found %s",
		                              kind_of(from));
	}
	return r;
}

static int read_group(struct walk *walk, const yaml_node_t *node,
                      struct lsv_group *group)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	int r;

	group->mark = mark_at(node);
	r = read_pairs(walk, node, group, false);
	for (; r == 0 && pair < node->data.mapping.pairs.top; pair++) {
		if (!is_merge(
			    yaml_document_get_node(walk->document, pair->key)))
			continue;
		r = merge(walk,
		          yaml_document_get_node(walk->document, pair->value),
		          group);
	}
	return r;
}

int lsv_yaml_read(const char *text, size_t n, struct lsv_group *file,
                  struct lsv_problem *problem)
{
	yaml_document_t document;
	struct walk walk = {.document = &document, .problem = problem};
	const yaml_node_t *root;
	int r;

	*file = (struct lsv_group){.section = &lsv_schema};
	r = lsv_document_load(text, n, &document, problem);
	if (r < 0)
		return r;
	root = yaml_document_get_root_node(&document);
	if (root && root->type == YAML_MAPPING_NODE)
		r = read_group(&walk, root, file);
	else if (root && !is_null(root))
		r = lsv_problem_set(problem, mark_at(root),
		                    "expected keys such as 'dbs:', found %s",
		                    kind_of(root));
	yaml_document_delete(&document);
	return r;
}
