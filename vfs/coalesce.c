/* SPDX-License-Identifier: MIT */
#include "vfs/coalesce.h"

#include "replica/base/bytes.h"
#include "replica/wal/frame.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX (1 << 20)
/* The unix VFS masks a write's size to 17 bits. */
#define WRITE_MAX 131071
#define N_SHELVED 4

/* Buffers that no transaction uses: a process with thousands of databases has
 * as many as write at once, not one for each (I13). */
static _Atomic(uint8_t *) shelf[N_SHELVED];

static uint8_t *take_buffer(void)
{
	for (int i = 0; i < N_SHELVED; i++) {
		uint8_t *buf;

		if (!atomic_load_explicit(&shelf[i], memory_order_relaxed))
			continue;
		buf = atomic_exchange(&shelf[i], NULL);
		if (buf)
			return buf;
	}
	return malloc(HELD_MAX);
}

static void give_buffer(uint8_t *buf)
{
	for (int i = 0; i < N_SHELVED; i++) {
		uint8_t *none = NULL;

		if (atomic_compare_exchange_strong(&shelf[i], &none, buf))
			return;
	}
	free(buf);
}

static void drop(struct lsv_coalesce *c)
{
	if (c->buf)
		give_buffer(c->buf);
	c->buf = NULL;
	c->n = 0;
}

bool lsv_coalesce_serves(const sqlite3_vfs *lower)
{
	return strncmp(lower->zName, "unix", 4) == 0;
}

void lsv_coalesce_begin(struct lsv_coalesce *c, uint32_t page_size,
                        uint32_t frame)
{
	drop(c);
	c->page_size = lsv_page_size_valid(page_size) ? page_size : 0;
	c->end = c->page_size ? (int64_t)lsv_frame_offset(frame + 1, page_size)
	                      : 0;
	c->commits = false;
	c->is_on = true;
}

void lsv_coalesce_end(struct lsv_coalesce *c)
{
	drop(c);
	c->is_on = false;
}

int lsv_coalesce_flush(struct lsv_coalesce *c, sqlite3_file *lower)
{
	uint32_t size;

	for (uint32_t done = 0; done < c->n; done += size) {
		int rc;

		size = c->n - done < WRITE_MAX ? c->n - done : WRITE_MAX;
		rc = lower->pMethods->xWrite(lower, c->buf + done, (int)size,
		                             c->at + done);
		if (rc != SQLITE_OK)
			return rc;
	}
	c->n = 0;
	return SQLITE_OK;
}

static int pass(struct lsv_coalesce *c, sqlite3_file *lower, const void *buf,
                int n, sqlite3_int64 at)
{
	int rc = lsv_coalesce_flush(c, lower);

	if (rc != SQLITE_OK)
		return rc;
	c->end = at + n;
	return lower->pMethods->xWrite(lower, buf, n, at);
}

/* Whether the write is a frame's header, or a piece of its page.  *is_last: it
 * is the end of a commit. */
static bool is_framed(struct lsv_coalesce *c, const void *buf, int n,
                      sqlite3_int64 at, bool *is_last)
{
	int64_t frame = LSV_FRAME_HEADER_SIZE + (int64_t)c->page_size;
	int64_t within = (at - LSV_WAL_HEADER_SIZE) % frame;

	*is_last = false;
	if (c->page_size == 0 || at < LSV_WAL_HEADER_SIZE)
		return false;
	if (within == 0) {
		c->commits = n == LSV_FRAME_HEADER_SIZE &&
		             get_be32((const uint8_t *)buf + 4) != 0;
		return n == LSV_FRAME_HEADER_SIZE;
	}
	*is_last = c->commits && within + n == frame;
	return within >= LSV_FRAME_HEADER_SIZE && within + n <= frame;
}

/* False: there is no memory. */
static bool hold(struct lsv_coalesce *c, const void *buf, int n,
                 sqlite3_int64 at)
{
	if (!c->buf)
		c->buf = take_buffer();
	if (!c->buf)
		return false;
	if (c->n == 0)
		c->at = at;
	memcpy(c->buf + c->n, buf, (size_t)n);
	c->n += (uint32_t)n;
	c->end = at + n;
	return true;
}

/* The commit, in one write.  What failed is never tried again: SQLite rolls it
 * back, and a commit frame that a later flush completed would resurrect it. */
static int commit(struct lsv_coalesce *c, sqlite3_file *lower)
{
	int rc = lsv_coalesce_flush(c, lower);

	c->is_on = false;
	drop(c);
	return rc;
}

int lsv_coalesce_write(struct lsv_coalesce *c, sqlite3_file *lower,
                       const void *buf, int n, sqlite3_int64 at)
{
	bool is_last;
	int rc;

	if (!c->is_on)
		return pass(c, lower, buf, n, at);
	if (at == 0 && n == LSV_WAL_HEADER_SIZE) {
		c->page_size = get_be32((const uint8_t *)buf + 8);
		if (!lsv_page_size_valid(c->page_size))
			c->page_size = 0;
		return pass(c, lower, buf, n, at);
	}
	if (!is_framed(c, buf, n, at, &is_last)) {
		c->is_on = false;
		return pass(c, lower, buf, n, at);
	}
	if (at != c->end) {
		c->is_on = !is_last;
		return pass(c, lower, buf, n, at);
	}
	if (c->n + (uint32_t)n > HELD_MAX) {
		rc = lsv_coalesce_flush(c, lower);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (!hold(c, buf, n, at)) {
		c->is_on = false;
		return pass(c, lower, buf, n, at);
	}
	return is_last ? commit(c, lower) : SQLITE_OK;
}
