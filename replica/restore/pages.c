/* SPDX-License-Identifier: MIT */
#include "replica/restore/pages.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_SIZE ((size_t)16 * 1024 * 1024)

void lsv_pages_init(struct lsv_pages *pages, const char *dir,
                    uint32_t page_size)
{
	*pages = (struct lsv_pages){
		.dir = dir,
		.page_size = page_size,
		.fd = -1,
	};
}

void lsv_pages_free(struct lsv_pages *pages)
{
	free(pages->refs.at);
	free(pages->memory);
	if (pages->fd >= 0)
		close(pages->fd);
}

void lsv_pages_reset(struct lsv_pages *pages)
{
	pages->refs.n = 0;
	pages->n_spooled = 0;
}

/* A file without a name: nothing is left of it, whatever happens to us. */
static int open_unlinked(const char *dir)
{
	auto_free char *path = NULL;
	int fd = lsv_open(dir, O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0)
		return fd;
	path = lsv_path_join(dir, ".lsvfs-spool-XXXXXX");
	if (!path)
		return -ENOMEM;
	fd = lsv_mkostemp(path);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

/* What is in memory goes to the file. */
static int spool(struct lsv_pages *pages)
{
	size_t n = pages->refs.n - pages->n_spooled;
	int r;

	if (pages->fd < 0) {
		r = open_unlinked(pages->dir);
		if (r < 0)
			return log_error(r, "cannot make a file in %s",
			                 pages->dir);
		pages->fd = r;
	}
	r = lsv_pwrite(pages->fd, pages->memory, n * pages->page_size,
	               (uint64_t)pages->n_spooled * pages->page_size);
	if (r < 0)
		return log_error(r, "cannot write a file in %s", pages->dir);
	pages->n_spooled = pages->refs.n;
	return 0;
}

int lsv_pages_add(struct lsv_pages *pages, const struct lsv_page_ref *ref,
                  const void *page)
{
	size_t at = (pages->refs.n - pages->n_spooled) * pages->page_size;
	int r = 0;

	if (!pages->memory) {
		pages->memory = malloc(MEMORY_SIZE);
		if (!pages->memory)
			return -ENOMEM;
	}
	if (at + pages->page_size > MEMORY_SIZE) {
		r = spool(pages);
		at = 0;
	}
	if (r < 0)
		return r;
	memcpy(pages->memory + at, page, pages->page_size);
	return lsv_page_refs_append(&pages->refs, *ref);
}

int lsv_pages_copy(const struct lsv_pages *pages, size_t i, size_t n,
                   uint8_t *buf)
{
	const size_t size = pages->page_size;
	size_t n_file = i < pages->n_spooled ? pages->n_spooled - i : 0;
	ssize_t got = 0;

	if (n_file > n)
		n_file = n;
	if (n_file)
		got = lsv_pread(pages->fd, buf, n_file * size,
		                (uint64_t)i * size);
	if (got != (ssize_t)(n_file * size))
		return log_error(got < 0 ? (int)got : -EIO,
		                 "cannot read a file in %s", pages->dir);
	if (n > n_file)
		memcpy(buf + n_file * size,
		       pages->memory + (i + n_file - pages->n_spooled) * size,
		       (n - n_file) * size);
	return 0;
}
