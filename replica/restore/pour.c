/* SPDX-License-Identifier: MIT */
#include "replica/restore/pour.h"

#include "replica/base/fileio.h"
#include "replica/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define RUN_SIZE ((size_t)256 * 1024)
/* How much of the snapshot may lie in memory before the disk is told to begin
 * with it. */
#define FLUSH_SIZE (UINT64_C(8) * 1024 * 1024)

static int complain(int err)
{
	return log_error(err, "cannot write the restored file");
}

static int by_page(const void *a, const void *b)
{
	const struct lsv_claim *x = a, *y = b;

	return x->page_no < y->page_no ? -1 : x->page_no > y->page_no;
}

/* How many of n claims are neighbours in the file and fit into one write. */
static size_t run_length(const struct lsv_claim *at, size_t n,
                         uint32_t page_size)
{
	size_t max = RUN_SIZE / page_size, i = 1;

	while (i < n && i < max && at[i].page_no == at[0].page_no + i)
		i++;
	return i;
}

/* How many of n claims are neighbours among the frames, too. */
static size_t frames_length(const struct lsv_claim *at, size_t n)
{
	size_t i = 1;

	while (i < n && at[i].frame == at[0].frame + i)
		i++;
	return i;
}

static int pour_run(int fd, const struct lsv_pages *pages,
                    const struct lsv_claim *at, size_t n, uint8_t *buf)
{
	const size_t size = pages->page_size;

	for (size_t i = 0; i < n;) {
		size_t n_frames = frames_length(at + i, n - i);
		int r = lsv_pages_copy(pages, at[i].frame, n_frames,
		                       buf + i * size);

		if (r < 0)
			return r;
		i += n_frames;
	}
	return lsv_pwrite(fd, buf, n * size,
	                  (uint64_t)(at[0].page_no - 1) * size);
}

int lsv_pour_claims(int fd, const struct lsv_pages *pages,
                    struct lsv_claim_list *list)
{
	auto_free uint8_t *buf = NULL;

	if (list->n == 0)
		return 0;
	buf = malloc(RUN_SIZE);
	if (!buf)
		return -ENOMEM;
	qsort(list->at, list->n, sizeof *list->at, by_page);
	for (size_t i = 0; i < list->n;) {
		size_t n = run_length(list->at + i, list->n - i,
		                      pages->page_size);
		int r = pour_run(fd, pages, list->at + i, n, buf);

		if (r < 0)
			return complain(r);
		i += n;
	}
	return 0;
}

struct pour {
	struct lsv_writer base;
	int fd;
	uint32_t page_size;
	const struct lsv_claims *claims;
	uint64_t end;     /* of the result; what is behind it is left out */
	uint64_t flushed; /* so far the disk was told to begin */
	uint64_t *at;     /* offset of the next byte */
};

/* Whether the page at 'offset' is left out, and where it ends. */
static bool is_left_out(const struct pour *p, uint64_t offset, uint64_t *end)
{
	uint64_t page_no;

	if (!p->page_size || offset >= p->end) {
		*end = UINT64_MAX;
		return offset >= p->end;
	}
	page_no = offset / p->page_size + 1;
	*end = page_no * p->page_size;
	return lsv_claims_has(p->claims, page_no);
}

/* How many of n bytes at *p->at have the same fate. */
static size_t same_fate(const struct pour *p, size_t n, bool *left_out)
{
	uint64_t offset = *p->at, stop = offset + n, end;
	bool next = *left_out = is_left_out(p, offset, &end);

	while (next == *left_out && end < stop) {
		offset = end;
		next = is_left_out(p, offset, &end);
	}
	if (next != *left_out)
		return (size_t)(offset - *p->at);
	return n;
}

/* The disk works while we decompress. */
static void flush_early(struct pour *p)
{
	if (*p->at - p->flushed < FLUSH_SIZE)
		return;
	(void)sync_file_range(p->fd, (off_t)p->flushed,
	                      (off_t)(*p->at - p->flushed),
	                      SYNC_FILE_RANGE_WRITE);
	p->flushed = *p->at;
}

static int pour_write(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct pour *p = (struct pour *)writer;
	const uint8_t *bytes = buf;

	while (n > 0) {
		bool left_out;
		size_t n_same = same_fate(p, n, &left_out);
		int r = left_out ? 0 : lsv_pwrite(p->fd, bytes, n_same, *p->at);

		if (r < 0)
			return complain(r);
		*p->at += n_same;
		bytes += n_same;
		n -= n_same;
	}
	flush_early(p);
	return 0;
}

static void pour_close(struct lsv_writer *writer)
{
	free(writer);
}

int lsv_pour_open(int fd, uint32_t page_size, const struct lsv_claims *claims,
                  uint64_t *n, struct lsv_writer **out)
{
	struct pour *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	*n = 0;
	p->base = (struct lsv_writer){pour_write, pour_close};
	p->fd = fd;
	p->page_size = page_size;
	p->claims = claims;
	p->end = page_size && claims->db_pages
	                 ? (uint64_t)claims->db_pages * page_size
	                 : UINT64_MAX;
	p->at = n;
	*out = &p->base;
	return 0;
}
