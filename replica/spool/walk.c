/* SPDX-License-Identifier: MIT */
#include "replica/spool/walk.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <string.h>

/* Read at once: many small pages, or a few large ones. */
#define CHUNK_SIZE (256U << 10)

int lsv_walk_begin(int fd, uint64_t generation, uint32_t index,
                   struct lsv_walk *walk)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	uint8_t wanted[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;
	ssize_t got = lsv_pread(fd, bytes, sizeof bytes, 0);

	if (got < 0)
		return (int)got;
	if (got < (ssize_t)sizeof bytes ||
	    lsv_wal_header_decode(bytes, &header) < 0)
		return -EBADMSG;
	/* The header is a function of these three, so its bytes are. */
	lsv_shadow_header(generation, index, header.page_size, &header);
	lsv_wal_header_encode(&header, wanted);
	if (memcmp(bytes, wanted, sizeof bytes) != 0)
		return -EBADMSG;
	*walk = (struct lsv_walk){
		.fd = fd,
		.page_size = header.page_size,
		.salt = {header.salt[0], header.salt[1]},
		.checksum = {header.checksum[0], header.checksum[1]},
		.at = LSV_WAL_HEADER_SIZE,
	};
	return 0;
}

void lsv_walk_resume(struct lsv_walk *walk, const struct lsv_commit *commit)
{
	if (commit->end == 0)
		return;
	walk->at = commit->end;
	memcpy(walk->checksum, commit->checksum, sizeof walk->checksum);
}

static int walk_frame(struct lsv_walk *walk, const uint8_t *bytes,
                      lsv_replay_fn *each, void *arg)
{
	const uint8_t *page = bytes + LSV_FRAME_HEADER_SIZE;
	struct lsv_frame frame;

	if (!lsv_frame_verify(bytes, page, walk->page_size, false, walk->salt,
	                      walk->checksum))
		return -EBADMSG;
	walk->at += LSV_FRAME_HEADER_SIZE + walk->page_size;
	if (!each)
		return 0;
	lsv_frame_decode(bytes, &frame);
	return each(arg, &frame, page);
}

int lsv_walk_to(struct lsv_walk *walk, uint64_t to, lsv_replay_fn *each,
                void *arg)
{
	size_t frame_size = LSV_FRAME_HEADER_SIZE + walk->page_size;
	uint64_t left = to - walk->at;
	size_t chunk = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
	auto_free uint8_t *buf = NULL;

	if (to < walk->at || left % frame_size != 0)
		return -EBADMSG;
	chunk -= chunk % frame_size;
	buf = malloc(chunk + 1);
	if (!buf)
		return -ENOMEM;
	while (walk->at < to) {
		size_t n = to - walk->at < chunk ? (size_t)(to - walk->at)
		                                 : chunk;
		ssize_t got = lsv_pread(walk->fd, buf, n, walk->at);

		if (got < 0)
			return (int)got;
		if ((size_t)got < n)
			n = (size_t)got - (size_t)got % frame_size;
		for (size_t i = 0; i < n; i += frame_size) {
			int r = walk_frame(walk, buf + i, each, arg);

			if (r < 0)
				return r;
		}
		if (n == 0)
			return -EBADMSG;
	}
	return 0;
}
