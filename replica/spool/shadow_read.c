/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"
#include "replica/spool/shadow.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>

#define RECORDS_AT_ONCE 64

/* One of an index's two files; the descriptor, or -errno. */
static int open_file(const char *gen_dir, uint32_t index, const char *suffix)
{
	auto_free char *path = lsv_sprintf("%s/wal/%08x.%s", gen_dir,
	                                   (unsigned)index, suffix);

	return path ? lsv_spool_open(path, O_RDONLY, 0) : -ENOMEM;
}

int lsv_shadow_read(const char *gen_dir, uint32_t index, uint64_t from,
                    uint64_t to, struct lsv_reader **out)
{
	auto_close int fd = open_file(gen_dir, index, "wal");
	struct lsv_reader *reader;

	if (fd < 0)
		return fd;
	if (from > to)
		return -EINVAL;
	reader = lsv_reader_file(fd, from, to, true);
	if (!reader)
		return -ENOMEM;
	fd = -1; /* the reader's */
	*out = reader;
	return 0;
}

/* The place of the first record wanted. */
static int first_wanted(int fd, uint64_t n, uint64_t from, bool with_base,
                        uint64_t *place)
{
	if (from != 0)
		return lsv_record_search(fd, n, from + 1, place);
	*place = with_base ? 0 : 1;
	return 0;
}

/* Those of a piece that end at or before 'to'; 1: beyond it there are more. */
static int decode(const uint8_t *bytes, uint64_t n, uint64_t to,
                  struct lsv_records *list)
{
	for (uint64_t i = 0; i < n; i++) {
		struct lsv_record record;
		int r = lsv_record_decode(bytes + i * LSV_RECORD_SIZE, &record);

		if (r == 0 && record.commit.end > to)
			return 1;
		if (r == 0)
			r = lsv_records_append(list, record);
		if (r < 0)
			return r;
	}
	return 0;
}

static int collect(int fd, uint64_t place, uint64_t n, uint64_t to,
                   struct lsv_records *list)
{
	uint8_t bytes[RECORDS_AT_ONCE * LSV_RECORD_SIZE];
	int r = 0;

	while (r == 0 && place < n) {
		uint64_t left = n - place;
		uint64_t n_now = left < RECORDS_AT_ONCE ? left
		                                        : RECORDS_AT_ONCE;
		size_t size = n_now * LSV_RECORD_SIZE;
		ssize_t got = lsv_pread(fd, bytes, size,
		                        place * LSV_RECORD_SIZE);

		if (got < 0)
			return (int)got;
		if ((size_t)got < size)
			return -EBADMSG;
		r = decode(bytes, n_now, to, list);
		place += n_now;
	}
	return r < 0 ? r : 0;
}

int lsv_shadow_records(const char *gen_dir, uint32_t index, uint64_t from,
                       uint64_t to, bool with_base, struct lsv_records *out)
{
	auto_close int fd = open_file(gen_dir, index, "commits");
	struct lsv_records list = {0};
	uint64_t place;
	uint64_t n;
	int r;

	if (fd < 0)
		return fd;
	r = lsv_record_count_valid(fd, &n);
	if (r == 0)
		r = first_wanted(fd, n, from, with_base, &place);
	if (r == 0)
		r = collect(fd, place, n, to, &list);
	if (r < 0) {
		free(list.at);
		return r;
	}
	*out = list;
	return 0;
}

int lsv_shadow_last(const char *gen_dir, uint32_t index,
                    struct lsv_record *last)
{
	auto_close int fd = open_file(gen_dir, index, "commits");
	uint64_t n;
	int r;

	if (fd < 0)
		return fd;
	r = lsv_record_count_valid(fd, &n);
	if (r < 0)
		return r;
	return n == 0 ? -EBADMSG : lsv_record_at(fd, n - 1, last);
}

/* The walk that continues behind the commit that ends at 'from'. */
static int walk_from(const char *gen_dir, uint32_t index, uint64_t from,
                     struct lsv_walk *walk)
{
	auto_close int fd = open_file(gen_dir, index, "commits");
	struct lsv_record record;
	uint64_t place;
	uint64_t n;
	int r;

	if (fd < 0)
		return fd;
	r = lsv_record_count_valid(fd, &n);
	if (r == 0)
		r = lsv_record_search(fd, n, from, &place);
	if (r < 0)
		return r;
	if (place == n)
		return -ENOENT;
	r = lsv_record_at(fd, place, &record);
	if (r < 0)
		return r;
	if (record.commit.end != from)
		return -ENOENT;
	lsv_walk_resume(walk, &record.commit);
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): three of seven say which file */
int lsv_shadow_replay(const char *gen_dir, uint64_t generation, uint32_t index,
                      uint64_t from, uint64_t to, lsv_replay_fn *each,
                      void *arg)
{
	auto_close int fd = open_file(gen_dir, index, "wal");
	struct lsv_walk walk;
	int r;

	if (fd < 0)
		return fd;
	if (from == to)
		return 0;
	r = lsv_walk_begin(fd, generation, index, &walk);
	if (r == 0 && from != 0)
		r = walk_from(gen_dir, index, from, &walk);
	if (r < 0)
		return r;
	return lsv_walk_to(&walk, to, each, arg);
}
