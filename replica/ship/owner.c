/* SPDX-License-Identifier: MIT */
#include "replica/ship/owner.h"

#include "replica/base/clock.h"
#include "replica/format/layout.h"
#include "replica/format/note.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void lsv_lineage_format(const uint8_t lineage[LSV_LINEAGE_SIZE],
                        char text[LSV_LINEAGE_TEXT_SIZE])
{
	for (size_t i = 0; i < LSV_LINEAGE_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", lineage[i]);
}

/* What owner.json says.  All strings are ours; one that is missing is "". */
struct owner {
	char *lineage;
	char *generation;
	char *host;
	char *machine_id;
	char *path;
	char *since;
};

static void owner_free(struct owner *owner)
{
	free(owner->lineage);
	free(owner->generation);
	free(owner->host);
	free(owner->machine_id);
	free(owner->path);
	free(owner->since);
}

#define auto_owner __attribute__((cleanup(owner_free)))

static int get_field(const struct lsv_buf *note, const char *name, char **value)
{
	int r = lsv_note_get(note, name, value);

	if (r != -ENOENT)
		return r;
	*value = strdup("");
	return *value ? 0 : -ENOMEM;
}

static int parse(const struct lsv_buf *note, struct owner *owner)
{
	const struct {
		const char *name;
		char **value;
	} fields[] = {
		{"lineage", &owner->lineage},
		{"generation", &owner->generation},
		{"host", &owner->host},
		{"machine-id", &owner->machine_id},
		{"path", &owner->path},
		{"since", &owner->since},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		int r = get_field(note, fields[i].name, fields[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* -ENOENT: nobody's. */
static int read_owner(struct lsv_client *client, struct owner *owner)
{
	static const struct lsv_range start = {.n = LSV_NOTE_SIZE_MAX};
	auto_buf struct lsv_buf note = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&note);
	int r;

	if (!into)
		return -ENOMEM;
	r = client->ops->get(client, LSV_LAYOUT_OWNER, &start, into);
	return r < 0 ? r : parse(&note, owner);
}

/* The same machine's database that lost its local folder, or one that is no
 * more. */
static bool is_left_over(const struct owner *owner, const struct lsv_host *host,
                         const char *db_path)
{
	struct stat st;

	if (strcmp(owner->host, host->name) != 0 ||
	    strcmp(owner->machine_id, host->machine_id) != 0 || !owner->path[0])
		return false;
	if (strcmp(owner->path, db_path) == 0)
		return true;
	return stat(owner->path, &st) < 0 &&
	       (errno == ENOENT || errno == ENOTDIR);
}

/* A container that was started anew: its database was restored from what the
 * owner wrote last, to where the owner had it. */
static bool is_continued(const struct owner *owner, const char *db_path,
                         uint64_t parent)
{
	char text[LSV_GENERATION_SIZE];

	if (parent == 0 || strcmp(owner->path, db_path) != 0)
		return false;
	lsv_generation_format(parent, text);
	return strcmp(owner->generation, text) == 0;
}

/* What to do comes before what may be cut off. */
static int refuse(char why[LSV_OWNER_WHY_SIZE], const char *url,
                  const struct owner *owner, const char *host,
                  const char *db_path)
{
	if (!owner)
		snprintf(why, LSV_OWNER_WHY_SIZE,
		         "cannot read " LSV_LAYOUT_OWNER
		         " of replica %s: it does not say whose the replica "
		         "is; remove it there if it is yours",
		         url);
	else
		snprintf(why, LSV_OWNER_WHY_SIZE,
		         "its replica belongs to %s on %s: use another, or, if "
		         "that one is gone, run lsvfs sync -takeover (this is "
		         "%s on %s; replica %s, that one's since %s)",
		         owner->path, owner->host, db_path, host, url,
		         owner->since);
	return -EPERM;
}

static bool is_here(const struct owner *owner, const struct lsv_host *host,
                    const char *db_path)
{
	return strcmp(owner->host, host->name) == 0 &&
	       strcmp(owner->machine_id, host->machine_id) == 0 &&
	       strcmp(owner->path, db_path) == 0;
}

/* Whether what the other place began last is what we go on with. */
static bool is_common(const struct owner *owner,
                      const struct lsv_owner_self *self)
{
	const uint64_t known[] = {self->generation, self->parent};
	char text[LSV_GENERATION_SIZE];

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		lsv_generation_format(known[i], text);
		if (known[i] && strcmp(text, owner->generation) == 0)
			return true;
	}
	return false;
}

int lsv_owner_check(struct lsv_client *client,
                    const struct lsv_owner_self *self,
                    char why[LSV_OWNER_WHY_SIZE])
{
	char ours[LSV_LINEAGE_TEXT_SIZE];
	const char *db_path = self->db_path;
	auto_owner struct owner owner = {0};
	struct lsv_host host;
	int r = read_owner(client, &owner);

	if (r == -ENOENT)
		return 0;
	lsv_host_read(&host);
	if (r == -EBADMSG || (r == 0 && !owner.lineage[0]))
		return refuse(why, client->url, NULL, host.name, db_path);
	if (r < 0)
		return r;
	lsv_lineage_format(self->lineage, ours);
	if (is_here(&owner, &host, db_path) ||
	    is_continued(&owner, db_path, self->origin))
		return 0;
	if (strcmp(owner.lineage, ours) != 0)
		return is_left_over(&owner, &host, db_path)
		               ? 0
		               : refuse(why, client->url, &owner, host.name,
		                        db_path);
	r = refuse(why, client->url, &owner, host.name, db_path);
	return is_common(&owner, self) ? 1 : r;
}

int lsv_owner_put(struct lsv_client *client,
                  const uint8_t lineage[LSV_LINEAGE_SIZE], uint64_t generation,
                  const char *db_path)
{
	char lineage_text[LSV_LINEAGE_TEXT_SIZE];
	char generation_text[LSV_GENERATION_SIZE];
	char since[LSV_TIME_TEXT_SIZE];
	auto_buf struct lsv_buf note = {0};
	auto_reader struct lsv_reader *body = NULL;
	int64_t now_ns = lsv_clock_ns();
	struct lsv_host host;
	int r;

	lsv_host_read(&host);
	lsv_lineage_format(lineage, lineage_text);
	lsv_generation_format(generation, generation_text);
	lsv_time_format(now_ns, since);
	const struct lsv_note_field fields[] = {
		{"lineage", lineage_text}, {"generation", generation_text},
		{"host", host.name},       {"machine-id", host.machine_id},
		{"path", db_path},         {"since", since},
	};
	r = lsv_note_encode(fields, sizeof fields / sizeof *fields, &note);
	if (r < 0)
		return r;
	body = lsv_reader_memory(note.data, note.n);
	if (!body)
		return -ENOMEM;
	return client->ops->put(client, LSV_LAYOUT_OWNER, body, now_ns,
	                        LSV_PUT_REPLACE);
}
