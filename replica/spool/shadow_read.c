/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"
#include "replica/spool/shadow.h"
#include "replica/spool/spoolfile.h"

#include <errno.h>
#include <fcntl.h>

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

static int collect(int fd, uint64_t place, uint64_t n, uint64_t to,
                   struct lsv_records *list)
{
	for (; place < n; place++) {
		struct lsv_record record;
		int r = lsv_record_at(fd, place, &record);

		if (r == 0 && record.commit.end > to)
			return 0;
		if (r == 0)
			r = lsv_records_append(list, record);
		if (r < 0)
			return r;
	}
	return 0;
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
