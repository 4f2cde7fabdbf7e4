/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"
#include "replica/format/layout.h"
#include "replica/format/note.h"
#include "replica/ship/owner.h"
#include "replica/ship/upload.h"

#include <errno.h>
#include <string.h>

static int encode(const struct lsv_upload *upload, const char *lineage_text,
                  const struct lsv_lineage *lineage, struct lsv_buf *note)
{
	char generation[LSV_GENERATION_SIZE];
	char parent[LSV_POS_TEXT_SIZE];
	struct lsv_host host;

	lsv_host_read(&host);
	lsv_generation_format(upload->generation, generation);
	lsv_pos_format(&lineage->parent, parent);
	const struct lsv_note_field fields[] = {
		{"lineage", lineage_text},
		{"generation", generation},
		{"parent", lineage->parent.generation ? parent : NULL},
		{"reason", lineage->reason},
		{"host", host.name},
		{"path", lineage->db_path},
		{"sqlite", lineage->sqlite_version},
	};
	return lsv_note_encode(fields, sizeof fields / sizeof *fields, note);
}

/* Something is there: ours, if it names our lineage, whatever a restart has
 * changed in the rest (the host's name, the reason). */
static int accept_same(struct lsv_client *client, const char *name,
                       const char *lineage_text)
{
	static const struct lsv_range start = {.n = LSV_NOTE_SIZE_MAX};
	auto_buf struct lsv_buf note = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&note);
	auto_free char *there = NULL;
	int r = into ? client->ops->get(client, name, &start, into) : -ENOMEM;

	if (r == 0)
		r = lsv_note_get(&note, "lineage", &there);
	if (r == -ENOENT || r == -EBADMSG)
		return -EEXIST;
	if (r == 0 && strcmp(there, lineage_text) != 0)
		return -EEXIST;
	return r;
}

int lsv_upload_lineage(const struct lsv_upload *upload,
                       struct lsv_client *client,
                       const struct lsv_lineage *lineage)
{
	char text[LSV_LINEAGE_TEXT_SIZE];
	auto_free char *name = lsv_layout_lineage(upload->generation);
	auto_buf struct lsv_buf note = {0};
	auto_reader struct lsv_reader *body = NULL;
	int r;

	if (!name)
		return -ENOMEM;
	lsv_lineage_format(upload->lineage, text);
	r = encode(upload, text, lineage, &note);
	if (r < 0)
		return r;
	body = lsv_reader_memory(note.data, note.n);
	if (!body)
		return -ENOMEM;
	r = client->ops->put(client, name, body, lsv_clock_ns(), LSV_PUT_NEW);
	return r == -EEXIST ? accept_same(client, name, text) : r;
}
