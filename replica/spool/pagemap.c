/* SPDX-License-Identifier: MIT */
#include "replica/spool/pagemap.h"

#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/spool/overlay.h"
#include "replica/spool/spoolfile.h"
#include "replica/wal/frame.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "LSVFSPH1"
#define FILE_VERSION 1
#define AT_VERSION 8
#define AT_PAGE_SIZE 12
#define AT_INDEX 16
#define AT_PAGES 20
#define AT_OFFSET 24
#define HEADER_SIZE 32

#define BLOCK_SIZE 4096
#define STEP_MAX (1U << 20)
/* Address space is cheap: mapped beyond the file's end, so that the mapping
 * seldom has to grow. */
#define MAPPED_MIN (16U << 20)
#define OVERLAY_MAX 65536

/*
 * A file that anybody has mapped is never made shorter, and emptied by putting
 * another in its place: a leader that was stopped, and has been robbed of its
 * generation meanwhile, goes on with a mapping of the old one, and would else
 * die of a SIGBUS or write into its successor's.
 */
struct lsv_pagemap {
	char *path;
	mode_t mode;
	dev_t dev; /* of the file mapped */
	ino_t ino;
	uint32_t page_size;
	uint8_t *base;    /* the mapping */
	size_t mapped;    /* its length */
	size_t allocated; /* of the file, with blocks behind it: only below
	                   * this the mapping may be touched */
	bool has_position;
	uint32_t index;
	uint64_t offset;
	/* In the map: */
	uint32_t pages;
	uint64_t sum;
	/* With what is not committed yet: */
	uint32_t pages_now;
	uint64_t sum_now;
	uint32_t kept; /* pages of the map beyond it were taken out */
	struct lsv_overlay overlay;
};

static size_t size_for(uint32_t pages)
{
	return HEADER_SIZE + (size_t)pages * 8;
}

static size_t round_up(size_t n)
{
	return (n + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
}

static uint8_t *entry(const struct lsv_pagemap *map, uint32_t page_no)
{
	return map->base + HEADER_SIZE + (size_t)(page_no - 1) * 8;
}

/* ---- The file and its mapping ---- */

static int remap(struct lsv_pagemap *map, size_t size)
{
	size_t mapped = map->mapped;
	void *base;

	while (mapped < size)
		mapped *= 2;
	if (mapped == map->mapped)
		return 0;
	base = mremap(map->base, map->mapped, mapped, MREMAP_MAYMOVE);
	if (base == MAP_FAILED)
		return -errno;
	map->base = base;
	map->mapped = mapped;
	return 0;
}

/* The descriptor is not kept: there may be thousands of databases.  -ESTALE:
 * the path is another file's now. */
static int open_mapped(const struct lsv_pagemap *map)
{
	auto_close int fd = lsv_spool_open(map->path, O_RDWR, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != map->dev || st.st_ino != map->ino)
		return -ESTALE;
	return take_fd(fd);
}

/* The file has blocks for all of it: a store into a hole of a full disk would
 * be a SIGBUS in somebody else's program. */
static int grow(struct lsv_pagemap *map, size_t needed)
{
	size_t step = map->allocated < STEP_MAX ? map->allocated : STEP_MAX;
	size_t size = map->allocated + step;
	auto_close int fd = open_mapped(map);
	int r;

	if (fd < 0)
		return fd;
	size = round_up(size < needed ? needed : size);
	r = lsv_allocate(fd, map->allocated, size);
	if (r == 0)
		r = remap(map, size);
	if (r == 0)
		map->allocated = size;
	return r;
}

static void unmap(struct lsv_pagemap *map)
{
	if (map->base)
		munmap(map->base, map->mapped);
	map->base = NULL;
	map->allocated = 0;
}

/* Maps the first 'size' bytes of a file, which have blocks. */
static int map_file(struct lsv_pagemap *map, int fd, size_t size)
{
	size_t mapped = MAPPED_MIN;
	struct stat st;
	void *base;

	if (fstat(fd, &st) < 0)
		return -errno;
	while (mapped < size)
		mapped *= 2;
	base = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	unmap(map);
	map->base = base;
	map->mapped = mapped;
	map->allocated = size;
	map->dev = st.st_dev;
	map->ino = st.st_ino;
	return 0;
}

/* ---- What is in it ---- */

static void forget_uncommitted(struct lsv_pagemap *map)
{
	lsv_overlay_clear(&map->overlay);
	map->kept = UINT32_MAX;
	map->pages_now = map->pages;
	map->sum_now = map->sum;
}

static int empty(struct lsv_pagemap *map)
{
	auto_close int fd = -1;
	int r;

	unmap(map);
	map->has_position = false;
	map->pages = 0;
	map->sum = 0;
	forget_uncommitted(map);
	if (unlink(map->path) < 0 && errno != ENOENT)
		return -errno;
	fd = lsv_spool_open(map->path, O_RDWR | O_CREAT, map->mode);
	if (fd < 0)
		return fd;
	r = lsv_allocate(fd, 0, BLOCK_SIZE);
	return r < 0 ? r : map_file(map, fd, BLOCK_SIZE);
}

/* A header that is right, of a file that is large enough for it. */
static bool read_header(struct lsv_pagemap *map,
                        const uint8_t header[HEADER_SIZE], size_t size)
{
	if (memcmp(header, MAGIC, 8) != 0 ||
	    get_le32(header + AT_VERSION) != FILE_VERSION ||
	    get_le32(header + AT_PAGE_SIZE) != map->page_size ||
	    size_for(get_le32(header + AT_PAGES)) > size)
		return false;
	map->index = get_le32(header + AT_INDEX);
	map->pages = get_le32(header + AT_PAGES);
	map->offset = get_le64(header + AT_OFFSET);
	map->has_position = true;
	return true;
}

/* Pages that the map had run ahead by are none of it. */
static void take_out_ahead(struct lsv_pagemap *map)
{
	for (size_t i = size_for(map->pages); i < map->allocated; i += 8)
		if (get_le64(map->base + i))
			put_le64(map->base + i, 0);
}

static int load(struct lsv_pagemap *map, int fd)
{
	uint8_t header[HEADER_SIZE] = {0};
	struct stat st;
	ssize_t got = lsv_pread(fd, header, sizeof header, 0);
	size_t size;
	int r;

	if (got < 0 || fstat(fd, &st) < 0)
		return got < 0 ? (int)got : -errno;
	size = (size_t)st.st_size / BLOCK_SIZE * BLOCK_SIZE;
	if (!read_header(map, header, size))
		return empty(map);
	/* A copied file may have holes. */
	r = lsv_allocate(fd, 0, size);
	if (r == 0)
		r = map_file(map, fd, size);
	if (r < 0)
		return r;
	take_out_ahead(map);
	for (uint32_t i = 1; i <= map->pages; i++)
		map->sum ^= get_le64(entry(map, i));
	forget_uncommitted(map);
	return 0;
}

static struct lsv_pagemap *new_map(const char *dir, uint32_t page_size)
{
	struct lsv_pagemap *map = calloc(1, sizeof *map);

	if (!map)
		return NULL;
	map->page_size = page_size;
	map->path = lsv_path_join(dir, "pagehash");
	if (!map->path) {
		free(map);
		return NULL;
	}
	return map;
}

int lsv_pagemap_open(const char *dir, uint32_t page_size, mode_t mode,
                     struct lsv_pagemap **out)
{
	auto_pagemap struct lsv_pagemap *map = new_map(dir, page_size);
	auto_close int fd = -1;
	int r;

	if (!map)
		return -ENOMEM;
	if (!lsv_page_size_valid(page_size))
		return -EINVAL;
	map->mode = mode;
	fd = lsv_spool_open(map->path, O_RDWR | O_CREAT, mode);
	if (fd < 0)
		return fd;
	r = load(map, fd);
	if (r < 0)
		return r;
	*out = take(map);
	return 0;
}

void lsv_pagemap_close(struct lsv_pagemap *map)
{
	if (!map)
		return;
	unmap(map);
	lsv_overlay_free(&map->overlay);
	free(map->path);
	free(map);
}

bool lsv_pagemap_position(const struct lsv_pagemap *map, uint32_t *index,
                          uint64_t *offset)
{
	if (!map->has_position)
		return false;
	*index = map->index;
	*offset = map->offset;
	return true;
}

int lsv_pagemap_clear(struct lsv_pagemap *map)
{
	return empty(map);
}

/* The magic is away while the rest is written: killed in between, the header
 * is bad rather than wrong. */
static void write_header(struct lsv_pagemap *map)
{
	_Atomic(uint64_t) *magic = (_Atomic(uint64_t) *)(void *)map->base;
	uint64_t word;

	memcpy(&word, MAGIC, sizeof word);
	atomic_store(magic, 0);
	put_le32(map->base + AT_VERSION, FILE_VERSION);
	put_le32(map->base + AT_PAGE_SIZE, map->page_size);
	put_le32(map->base + AT_INDEX, map->index);
	put_le32(map->base + AT_PAGES, map->pages);
	put_le64(map->base + AT_OFFSET, map->offset);
	atomic_store(magic, word);
}

int lsv_pagemap_mark(struct lsv_pagemap *map, uint32_t index, uint64_t offset)
{
	lsv_pagemap_commit(map);
	if (map->allocated == 0)
		return -ENOSPC;
	if (msync(map->base, map->allocated, MS_SYNC) < 0)
		return -errno;
	map->index = index;
	map->offset = offset;
	map->has_position = true;
	write_header(map);
	return msync(map->base, BLOCK_SIZE, MS_SYNC) < 0 ? -errno : 0;
}

/* ---- Pages ---- */

/* A page's hash in the map, if it still counts. */
static uint64_t committed(const struct lsv_pagemap *map, uint32_t page_no)
{
	return page_no <= map->pages && page_no <= map->kept
	               ? get_le64(entry(map, page_no))
	               : 0;
}

int lsv_pagemap_set(struct lsv_pagemap *map, uint32_t page_no, uint64_t hash)
{
	const struct lsv_overlay_entry *old;
	uint64_t before;
	int r = 0;

	if (page_no == 0)
		return -EINVAL;
	if (map->overlay.n >= OVERLAY_MAX)
		lsv_pagemap_commit(map);
	/* Room is made now, so that the commit cannot fail. */
	if (size_for(page_no) > map->allocated)
		r = grow(map, size_for(page_no));
	if (r < 0)
		return r;
	old = lsv_overlay_find(&map->overlay, page_no);
	before = old ? old->hash : committed(map, page_no);
	r = lsv_overlay_put(&map->overlay, page_no, hash);
	if (r < 0)
		return r;
	map->sum_now ^= before ^ hash;
	if (page_no > map->pages_now)
		map->pages_now = page_no;
	return 0;
}

void lsv_pagemap_shrink(struct lsv_pagemap *map, uint32_t n_pages)
{
	uint32_t last = map->pages < map->kept ? map->pages : map->kept;

	if (n_pages >= map->pages_now)
		return;
	for (uint32_t i = n_pages; i < last; i++)
		if (!lsv_overlay_find(&map->overlay, i + 1))
			map->sum_now ^= get_le64(entry(map, i + 1));
	for (uint32_t i = 0; i < map->overlay.n; i++) {
		struct lsv_overlay_entry *at = &map->overlay.at[i];

		if (at->page_no <= n_pages)
			continue;
		map->sum_now ^= at->hash;
		at->hash = 0;
	}
	if (n_pages < map->kept)
		map->kept = n_pages;
	map->pages_now = n_pages;
}

void lsv_pagemap_commit(struct lsv_pagemap *map)
{
	if (map->kept < map->pages)
		memset(entry(map, map->kept + 1), 0,
		       (size_t)(map->pages - map->kept) * 8);
	for (uint32_t i = 0; i < map->overlay.n; i++)
		put_le64(entry(map, map->overlay.at[i].page_no),
		         map->overlay.at[i].hash);
	map->pages = map->pages_now;
	map->sum = map->sum_now;
	forget_uncommitted(map);
}

void lsv_pagemap_rollback(struct lsv_pagemap *map)
{
	forget_uncommitted(map);
}

uint64_t lsv_pagemap_sum(const struct lsv_pagemap *map)
{
	return map->sum_now;
}

uint32_t lsv_pagemap_pages(const struct lsv_pagemap *map)
{
	return map->pages_now;
}

uint32_t lsv_pagemap_page_size(const struct lsv_pagemap *map)
{
	return map->page_size;
}
