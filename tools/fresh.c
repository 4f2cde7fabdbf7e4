/* SPDX-License-Identifier: MIT */
#include "tools/fresh.h"

#include "replica/base/bytes.h"
#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <fcntl.h>
#include <string.h>

/* A program that never rests, in rollback mode, is waited for no longer. */
#define PATIENCE_NS (5 * LSV_NS_PER_S)
/* Where the unix VFS has the lock that says "I have the -shm file open". */
#define SHM_OPEN_BYTE 128

/* Of the database header. */
#define HEADER_SIZE 100
#define PAGE_SIZE_AT 16
#define CHANGES_AT 24
#define PAGES_AT 28
#define VALID_FOR_AT 92

static struct stat look_at(const char *path, const char *side)
{
	auto_free char *name = lsv_sprintf("%s%s", path, side);
	struct stat st = {0};

	if (!name || stat(name, &st) < 0)
		st = (struct stat){0};
	return st;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool is_in_use(const char *path)
{
	auto_free char *shm = lsv_sprintf("%s-shm", path);
	auto_close int fd = shm ? open(shm, O_RDONLY | O_CLOEXEC) : -1;
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = SHM_OPEN_BYTE,
		.l_len = 1,
	};

	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 &&
	       lock.l_type != F_UNLCK;
}

/* How long both are as they are, by the clock of the file system. */
static int64_t quiet_ns(const struct fresh *fresh)
{
	int64_t db_ns = fresh->db.st_ctim.tv_sec * LSV_NS_PER_S +
	                fresh->db.st_ctim.tv_nsec;
	int64_t wal_ns = fresh->wal.st_ctim.tv_sec * LSV_NS_PER_S +
	                 fresh->wal.st_ctim.tv_nsec;
	int64_t age_ns = lsv_clock_ns() - (db_ns > wal_ns ? db_ns : wal_ns);

	return age_ns < 0 ? 0 : age_ns;
}

bool fresh_is_settled(struct fresh *fresh, const char *path, int64_t now_ns)
{
	struct fresh seen = *fresh;
	bool is_wal_same;

	fresh_note(fresh, path);
	is_wal_same = is_same(&seen.wal, &fresh->wal);
	if (fresh->found_ns == 0) {
		fresh->found_ns = now_ns;
		fresh->changed_ns = now_ns - quiet_ns(fresh);
	} else if (!is_wal_same || !is_same(&seen.db, &fresh->db)) {
		fresh->changed_ns = now_ns;
	}
	return now_ns - fresh->changed_ns >= FRESH_QUIET_NS ||
	       (is_wal_same && now_ns - fresh->found_ns >= PATIENCE_NS) ||
	       is_in_use(path);
}

bool fresh_is_same(const struct fresh *fresh, const char *path)
{
	struct stat db = look_at(path, ""), wal = look_at(path, "-wal");

	return is_same(&db, &fresh->db) && is_same(&wal, &fresh->wal);
}

void fresh_note(struct fresh *fresh, const char *path)
{
	fresh->db = look_at(path, "");
	fresh->wal = look_at(path, "-wal");
}

static bool has_all(const uint8_t header[HEADER_SIZE], uint64_t size)
{
	uint64_t page_size = get_be16(header + PAGE_SIZE_AT);
	uint64_t pages = get_be32(header + PAGES_AT);

	if (page_size == 1)
		page_size = 65536;
	if (page_size == 0 || size % page_size != 0)
		return false;
	/* The number may be that of a SQLite too old to keep it. */
	return memcmp(header + CHANGES_AT, header + VALID_FOR_AT, 4) != 0 ||
	       size / page_size >= pages;
}

bool fresh_is_whole(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat wal = look_at(path, "-wal");
	struct stat journal = look_at(path, "-journal");
	uint8_t header[HEADER_SIZE];
	struct stat st;

	if (wal.st_size > 0 || journal.st_size > 0)
		return true;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return true;
	return lsv_pread(fd, header, sizeof header, 0) ==
	               (ssize_t)sizeof header &&
	       has_all(header, (uint64_t)st.st_size);
}
