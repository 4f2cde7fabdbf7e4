/* SPDX-License-Identifier: MIT */
#include "replica/restore/prove.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/restore/parallel.h"
#include "replica/wal/pagehash.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_SIZE ((size_t)1024 * 1024)
/* More readers than this only wait for the disk. */
#define MAX_READERS 4

struct prove {
	int fd;
	uint32_t page_size;
	uint64_t size;
	_Atomic uint64_t next; /* piece to read */
	_Atomic uint64_t hash;
	_Atomic int error;
};

static uint64_t hash_pages(const struct prove *p, const uint8_t *bytes,
                           size_t n, uint64_t offset)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i += p->page_size)
		hash ^= lsv_page_hash(
			(uint32_t)((offset + i) / p->page_size + 1), bytes + i,
			p->page_size);
	return hash;
}

static int hash_piece(struct prove *p, uint64_t offset, uint8_t *buf)
{
	size_t n = p->size - offset < PIECE_SIZE ? (size_t)(p->size - offset)
	                                         : PIECE_SIZE;
	ssize_t got = lsv_pread(p->fd, buf, n, offset);

	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return -EIO;
	atomic_fetch_xor(&p->hash, hash_pages(p, buf, n, offset));
	return 0;
}

static void hash_some(void *arg)
{
	struct prove *p = arg;
	auto_free uint8_t *buf = malloc(PIECE_SIZE);
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && atomic_load(&p->error) == 0) {
		uint64_t offset = atomic_fetch_add(&p->next, 1) * PIECE_SIZE;

		if (offset >= p->size)
			return;
		r = hash_piece(p, offset, buf);
	}
	if (r < 0)
		atomic_store(&p->error, r);
}

int lsv_prove_page_hash(int fd, uint32_t page_size, uint32_t db_pages,
                        uint64_t *page_hash)
{
	struct prove p = {
		.fd = fd,
		.page_size = page_size,
		.size = (uint64_t)db_pages * page_size,
	};
	unsigned n = lsv_processors();

	lsv_parallel(n < MAX_READERS ? n : MAX_READERS, hash_some, &p);
	if (p.error)
		return log_error(p.error, "cannot read the restored file");
	*page_hash = p.hash;
	return 0;
}

struct lsv_flush {
	pthread_t thread;
	bool has_thread;
	int fd;
	int error;
};

static void *flush(void *arg)
{
	struct lsv_flush *f = arg;

	f->error = fsync(f->fd) < 0 ? -errno : 0;
	return NULL;
}

int lsv_flush_begin(int fd, struct lsv_flush **out)
{
	struct lsv_flush *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->has_thread = pthread_create(&f->thread, NULL, flush, f) == 0;
	*out = f;
	return 0;
}

int lsv_flush_end(struct lsv_flush *f)
{
	int error;

	if (f->has_thread)
		pthread_join(f->thread, NULL);
	else
		flush(f);
	error = f->error;
	free(f);
	return error < 0 ? log_error(error, "cannot sync the restored file")
	                 : 0;
}
