/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_PROGRESS_H
#define LSVFS_PROGRESS_H

/* One line on a terminal, for what takes longer than a second. */

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *verb; /* "restoring app.db" */
	bool is_shown;    /* stderr is a terminal */
	int64_t began_ns;
	int64_t drawn_ns;
	bool has_line;
};

void progress_begin(struct progress *progress, const char *verb);
/* Bytes so far, of how many. */
void progress_draw(struct progress *progress, uint64_t done, uint64_t total);
/* Wipes the line. */
void progress_end(struct progress *progress);

/* "1.5 GB"; SI, as disks are sold. */
#define PROGRESS_SIZE_TEXT 16
void progress_size(uint64_t n_bytes, char text[PROGRESS_SIZE_TEXT]);

#endif
