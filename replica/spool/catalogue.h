/* SPDX-License-Identifier: MIT */
#ifndef LSV_CATALOGUE_H
#define LSV_CATALOGUE_H

/*
 * What one replica holds, as this folder's leaders put it there: a file
 * "catalogue-<hash of its URL>", so that retention need not list the replica
 * (I13).  A line an event, appended and not synced; a line that is torn is
 * none, and the last of a name counts:
 *
 *	<event> <time in ns> <name> <CRC-32C of what is before the space>
 *
 *	?  about to be put: it may be there
 *	+  it is there
 *	-  it is there no more
 *
 * So a crash loses at most what costs a little money: nothing is ever taken
 * for there that may not be.  Missing, or lost: one listing makes it anew.
 */

#include "replica/base/vector.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lsv_stored {
	char *name;
	int64_t time_ns;  /* of the object's last commit */
	bool is_doubtful; /* it may not be there */
};
LSV_VECTOR(lsv_stored_list, struct lsv_stored)
void lsv_stored_free(struct lsv_stored_list *list);

/* The file's path in the local folder; the caller frees. */
char *lsv_catalogue_path(const char *dir, uint64_t url_hash);

enum lsv_catalogue_event {
	LSV_CATALOGUE_PUTTING = '?',
	LSV_CATALOGUE_PUT = '+',
	LSV_CATALOGUE_REMOVED = '-',
};

/* Adds a line, if there is a catalogue; none is made by it. */
int lsv_catalogue_note(const char *path, enum lsv_catalogue_event event,
                       const char *name, int64_t time_ns);

/* What is there, or may be, each name once.  -ENOENT: there is none. */
int lsv_catalogue_read(const char *path, struct lsv_stored_list *there);

/* Replaces it whole. */
int lsv_catalogue_write(const char *path, const struct lsv_stored_list *there,
                        mode_t mode);

#endif
