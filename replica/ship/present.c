/* SPDX-License-Identifier: MIT */
#include "replica/ship/present.h"

#include "replica/format/layout.h"
#include "replica/spool/catalogue.h"

#include <errno.h>
#include <string.h>

/* A segment is noted before it is put: only what begins before the end of what
 * was shipped is there.  Of a snapshot that is known by the record. */
static bool is_there(const struct lsv_replica_record *record,
                     const struct lsv_stored *stored,
                     const struct lsv_object_name *object)
{
	if (stored->is_doubtful ||
	    object->pos.generation != record->shipped.generation)
		return false;
	return object->kind == LSV_OBJECT_SNAPSHOT
	               ? object->pos.index == record->snapshot_index
	               : object->kind == LSV_OBJECT_SEGMENT &&
	                         lsv_pos_compare(&object->pos,
	                                         &record->shipped) < 0;
}

/* *name NULL: the catalogue does not tell. */
static int newest(const struct lsv_replica_record *record,
                  const char *catalogue, char **name)
{
	struct lsv_stored_list there = {0};
	const char *found = NULL;
	struct lsv_pos last = {0};
	int r = lsv_catalogue_read(catalogue, &there);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < there.n; i++) {
		struct lsv_object_name object;

		lsv_layout_parse(there.at[i].name, &object);
		if (!is_there(record, &there.at[i], &object) ||
		    (found && lsv_pos_compare(&object.pos, &last) < 0))
			continue;
		found = there.at[i].name;
		last = object.pos;
	}
	*name = found ? strdup(found) : NULL;
	lsv_stored_free(&there);
	return found && !*name ? -ENOMEM : 0;
}

static int get_byte(struct lsv_client *client, const char *name)
{
	const struct lsv_range range = {.n = 1};
	auto_buf struct lsv_buf bytes = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&bytes);

	return into ? client->ops->get(client, name, &range, into) : -ENOMEM;
}

/* Without a catalogue it is not known how that was compressed; what is missing
 * is called as it is by default. */
static int get_snapshot(struct lsv_client *client,
                        const struct lsv_replica_record *record, char **name)
{
	static const enum lsv_codec codecs[] = {LSV_ZSTD, LSV_LZ4};
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof codecs / sizeof *codecs && r == -ENOENT;
	     i++) {
		free(*name);
		*name = lsv_layout_snapshot(record->shipped.generation,
		                            record->snapshot_index, codecs[i]);
		r = *name ? get_byte(client, *name) : -ENOMEM;
	}
	return r;
}

int lsv_present(struct lsv_client *client,
                const struct lsv_replica_record *record, const char *catalogue,
                char **name)
{
	int r;

	*name = NULL;
	r = newest(record, catalogue, name);
	if (r < 0)
		return r;
	return *name ? get_byte(client, *name)
	             : get_snapshot(client, record, name);
}
