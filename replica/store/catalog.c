/* SPDX-License-Identifier: MIT */
#include "replica/store/catalog.h"

#include "replica/base/log.h"

#include <errno.h>
#include <string.h>

/* Names come in the order of their bytes, and so do the numbers in them:
 * they are hexadecimal with leading zeros. */
static struct lsv_generation *generation_of(struct lsv_catalog *catalog,
                                            uint64_t id)
{
	struct lsv_generations *v = &catalog->generations;
	struct lsv_generation fresh = {.id = id};

	if (v->n && v->at[v->n - 1].id == id)
		return &v->at[v->n - 1];
	return lsv_generations_append(v, fresh) < 0 ? NULL : &v->at[v->n - 1];
}

static int add_item(struct lsv_items *items, const struct lsv_object *object,
                    const struct lsv_object_name *parsed)
{
	struct lsv_item item = {
		.name = NULL,
		.codec = parsed->codec,
		.pos = parsed->pos,
		.size = object->size,
		.time_ns = object->time_ns,
	};
	int r;

	/* One position in both codecs: a put whose outcome was not known, and
	 * another setting since.  One of them is enough; "lz4" comes first. */
	if (items->n &&
	    lsv_pos_compare(&items->at[items->n - 1].pos, &item.pos) == 0)
		return 0;
	item.name = strdup(object->name);
	if (!item.name)
		return -ENOMEM;
	r = lsv_items_append(items, item);
	if (r < 0)
		free(item.name);
	return r;
}

static int add_object(void *arg, const struct lsv_object *object)
{
	struct lsv_catalog *catalog = arg;
	struct lsv_generation *generation;
	struct lsv_object_name parsed;

	lsv_layout_parse(object->name, &parsed);
	catalog->n_objects++;
	if (parsed.kind == LSV_OBJECT_LTX)
		catalog->has_ltx = true;
	if (parsed.kind == LSV_OBJECT_LTX || parsed.kind == LSV_OBJECT_OTHER)
		return 0;
	generation = generation_of(catalog, parsed.pos.generation);
	if (!generation)
		return -ENOMEM;
	switch (parsed.kind) {
	case LSV_OBJECT_SNAPSHOT:
		return add_item(&generation->snapshots, object, &parsed);
	case LSV_OBJECT_SEGMENT:
		return add_item(&generation->segments, object, &parsed);
	case LSV_OBJECT_LINEAGE:
		generation->has_lineage = true;
		return 0;
	case LSV_OBJECT_OTHER:
	case LSV_OBJECT_LTX:
		break;
	}
	return 0;
}

int lsv_catalog_read(struct lsv_client *client, struct lsv_catalog *catalog)
{
	struct lsv_catalog fresh = {0};
	int r = client->ops->list(client, "", add_object, &fresh);

	if (r < 0) {
		lsv_catalog_free(&fresh);
		/* Others have said it where they knew it. */
		if (client->why && client->why[0])
			(void)log_error(0, "cannot list %s: %s", client->url,
			                client->why);
		return r;
	}
	*catalog = fresh;
	return 0;
}

static void free_items(struct lsv_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		free(items->at[i].name);
	free(items->at);
}

void lsv_catalog_free(struct lsv_catalog *catalog)
{
	struct lsv_generations *v = &catalog->generations;

	for (size_t i = 0; i < v->n; i++) {
		free_items(&v->at[i].snapshots);
		free_items(&v->at[i].segments);
	}
	free(v->at);
	*catalog = (struct lsv_catalog){0};
}

const struct lsv_generation *lsv_catalog_find(const struct lsv_catalog *catalog,
                                              uint64_t generation)
{
	const struct lsv_generations *v = &catalog->generations;

	for (size_t i = 0; i < v->n; i++)
		if (v->at[i].id == generation)
			return &v->at[i];
	return NULL;
}
