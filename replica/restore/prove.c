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
	uint64_t from;
	uint64_t to;
	_Atomic uint64_t next; /* piece to read */
	_Atomic uint64_t hash;
	_Atomic int error;
};

static uint64_t hash_pages(const uint8_t *bytes, size_t n, uint64_t offset,
                           uint32_t page_size)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i += page_size)
		hash ^= lsv_page_hash((uint32_t)((offset + i) / page_size + 1),
		                      bytes + i, page_size);
	return hash;
}

static int hash_piece(struct prove *p, uint64_t offset, uint8_t *buf)
{
	size_t n = p->to - offset < PIECE_SIZE ? (size_t)(p->to - offset)
	                                       : PIECE_SIZE;
	ssize_t got = lsv_pread(p->fd, buf, n, offset);

	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return -EIO;
	atomic_fetch_xor(&p->hash, hash_pages(buf, n, offset, p->page_size));
	return 0;
}

static void hash_some(void *arg)
{
	struct prove *p = arg;
	auto_free uint8_t *buf = malloc(PIECE_SIZE);
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && atomic_load(&p->error) == 0) {
		uint64_t offset = p->from +
		                  atomic_fetch_add(&p->next, 1) * PIECE_SIZE;

		if (offset >= p->to)
			return;
		r = hash_piece(p, offset, buf);
	}
	if (r < 0)
		atomic_store(&p->error, r);
}

static int prove(struct lsv_proof *proof, uint64_t to, unsigned n_threads)
{
	struct prove p = {
		.fd = proof->fd,
		.page_size = proof->page_size,
		.from = proof->end,
		.to = to,
	};

	lsv_parallel(n_threads, hash_some, &p);
	if (p.error)
		return log_error(p.error, "cannot read the restored file");
	proof->hash ^= p.hash;
	proof->end = to;
	return 0;
}

int lsv_prove_some(struct lsv_proof *proof, uint64_t to)
{
	if (!proof->page_size)
		return 0;
	to -= to % proof->page_size;
	return to > proof->end ? prove(proof, to, 1) : 0;
}

int lsv_prove_page_hash(const struct lsv_proof *begun, uint32_t page_size,
                        uint32_t db_pages, uint64_t *page_hash)
{
	struct lsv_proof proof = *begun;
	uint64_t size = (uint64_t)db_pages * page_size;
	unsigned n = lsv_processors();
	int r = 0;

	proof.page_size = page_size;
	if (proof.end < size)
		r = prove(&proof, size, n < MAX_READERS ? n : MAX_READERS);
	if (r == 0)
		*page_hash = proof.hash;
	return r;
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
