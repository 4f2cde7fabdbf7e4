/* SPDX-License-Identifier: MIT */
#ifndef LSV_NOTE_H
#define LSV_NOTE_H

/*
 * A note: a small JSON object of strings on a replica that says who writes
 * there and whence it came (owner.json, lineage.json), for people as much as
 * for us.
 */

#include "replica/base/stream.h"

#define LSV_NOTE_SIZE_MAX 65536

struct lsv_note_field {
	const char *name;
	const char *value; /* NULL: the field is left out */
};

/* Appends the note, fields in the order given.  In a value, '%' and every
 * byte that is not UTF-8 become %xx, so that any path fits in. */
int lsv_note_encode(const struct lsv_note_field *fields, size_t n,
                    struct lsv_buf *into);

/* A field's value in a new string that the caller frees.  -ENOENT: no such
 * field; -EBADMSG: not a JSON object, or the field is no string. */
int lsv_note_get(const struct lsv_buf *note, const char *name, char **value);

/* Which machine this is. */
struct lsv_host {
	char name[256];
	char machine_id[64]; /* of /etc/machine-id; "": unknown */
};
void lsv_host_read(struct lsv_host *host);

#endif
