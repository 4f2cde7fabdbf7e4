/* SPDX-License-Identifier: MIT */
#include "replica/spool/coord.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/spool/spoolfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "LSVFSCRD"
/* Of the version, the oldest reader that understands this page. */
#define MIN_VERSION 1

#define AT(field, offset)                                                      \
	static_assert(offsetof(struct lsv_coord_page, field) == (offset),      \
	              #field " is at " #offset " (lsvfs-format(5))")

AT(magic, 0);
AT(version, 8);
AT(min_version, 12);
AT(size, 16);
AT(leader_pid, 20);
AT(epoch, 24);
AT(leader_boot, 32);
AT(captured_seq, 64);
AT(captured, 72);
AT(wake, 128);
AT(sleeps, 132);
AT(done, 136);
AT(waiters, 140);
AT(drain, 144);
AT(advanced_ns, 152);
AT(request, 160);
AT(captured_ticket, 168);
AT(shipped_ticket, 176);
AT(shipped, 256);
AT(stamp_next, 768);
AT(unsynced_resets, 184);
AT(answered_ticket, 192);
AT(first_ticket, 200);
AT(stamps, 1024);
AT(reset_seq, 3072);
static_assert(sizeof(struct lsv_coord_page) == LSV_COORD_SIZE, "one page");
static_assert(sizeof(struct lsv_stamp) == 32, "lsvfs-format(5)");
static_assert(sizeof(struct lsv_captured) == 48, "lsvfs-format(5)");
static_assert(sizeof(struct lsv_shipped) == 64, "lsvfs-format(5)");

static void init_page(struct lsv_coord_page *page)
{
	memset(page, 0, sizeof *page);
	memcpy(page->magic, MAGIC, sizeof page->magic);
	page->version = LSV_COORD_VERSION;
	page->min_version = MIN_VERSION;
	page->size = LSV_COORD_SIZE;
	page->first_ticket = (uint64_t)lsv_clock_ns();
	atomic_store(&page->request, page->first_ticket);
	atomic_store(&page->captured_ticket, page->first_ticket);
	atomic_store(&page->shipped_ticket, page->first_ticket);
	atomic_store(&page->answered_ticket, page->first_ticket);
}

/* Gives 'temp' the name 'path', unless something has it already (which is as
 * good: somebody was faster). */
static int publish(const char *temp, const char *path)
{
	if (link(temp, path) == 0 || errno == EEXIST)
		return 0;
	/* No hard links here (FAT, some network file systems). */
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
	    errno == EEXIST)
		return 0;
	return -errno;
}

/* The file is whole before it has its name, so nobody maps half of it; all of
 * it is written, so that no later store meets a full disk. */
static int make_file(const char *path, mode_t mode)
{
	auto_free char *temp = lsv_sprintf("%s.XXXXXX", path);
	auto_close int fd = -1;
	struct lsv_coord_page page;
	int r;

	if (!temp)
		return -ENOMEM;
	fd = lsv_mkostemp(temp);
	if (fd < 0)
		return -errno;
	init_page(&page);
	lsv_spool_own(fd, temp, mode);
	r = lsv_write(fd, &page, sizeof page);
	if (r == 0)
		r = publish(temp, path);
	unlink(temp);
	return r;
}

/* Judged by its bytes before it is mapped: a file that is too short would
 * fault. */
static int check_file(int fd, ino_t *ino)
{
	union {
		struct lsv_coord_page page;
		uint8_t bytes[64];
	} head;
	ssize_t got = lsv_pread(fd, head.bytes, sizeof head.bytes, 0);
	struct stat st;

	if (got < 0 || fstat(fd, &st) < 0)
		return got < 0 ? (int)got : -errno;
	*ino = st.st_ino;
	if (st.st_size < LSV_COORD_SIZE ||
	    memcmp(head.page.magic, MAGIC, sizeof head.page.magic) != 0)
		return -EBADMSG;
	if (head.page.min_version > LSV_COORD_VERSION)
		return -EPROTO;
	return head.page.size < LSV_COORD_SIZE ? -EBADMSG : 0;
}

static int open_or_make(const char *path, mode_t mode)
{
	int fd = lsv_spool_open(path, O_RDWR, 0);
	int r;

	if (fd != -ENOENT)
		return fd;
	r = make_file(path, mode);
	return r < 0 ? r : lsv_spool_open(path, O_RDWR, 0);
}

char *lsv_coord_path(const char *dir)
{
	return lsv_path_join(dir, "coord");
}

void lsv_coord_call(const char *dir)
{
	auto_free char *path = lsv_coord_path(dir);
	auto_close int fd = path ? lsv_spool_open(path, O_RDONLY, 0) : -1;

	(void)fd;
}

int lsv_coord_map(const char *dir, mode_t mode, struct lsv_coord_page **page,
                  ino_t *ino)
{
	auto_free char *path = lsv_coord_path(dir);
	auto_close int fd = -1;
	ino_t number;
	void *mapped;
	int r;

	if (!path)
		return -ENOMEM;
	fd = open_or_make(path, mode);
	if (fd < 0)
		return fd;
	r = check_file(fd, &number);
	if (r < 0)
		return r;
	/* Other threads look at it: there is no moment without a page. */
	mapped = mmap(*page, LSV_COORD_SIZE, PROT_READ | PROT_WRITE,
	              MAP_SHARED | (*page ? MAP_FIXED : 0), fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*page = mapped;
	*ino = number;
	return 0;
}

bool lsv_coord_is_in(const char *dir, const struct lsv_coord_page *page,
                     ino_t ino)
{
	auto_free char *path = lsv_coord_path(dir);
	auto_close int fd = -1;
	uint64_t first_ticket;
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return !path || (errno != ENOENT && errno != ENOTDIR);
	if (st.st_ino == ino)
		return true;
	/* There are file systems that number a file anew. */
	fd = lsv_spool_open(path, O_RDONLY, 0);
	return fd < 0 ||
	       lsv_pread(fd, &first_ticket, sizeof first_ticket,
	                 offsetof(struct lsv_coord_page, first_ticket)) !=
	               sizeof first_ticket ||
	       first_ticket == page->first_ticket;
}

int lsv_coord_alone(struct lsv_coord_page **out)
{
	void *page = mmap(NULL, LSV_COORD_SIZE, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	init_page(page);
	*out = page;
	return 0;
}

void lsv_coord_unmap(struct lsv_coord_page *page)
{
	if (page)
		munmap(page, LSV_COORD_SIZE);
}

/*
 * Plain structs in the page are copied word by word.  Each store is a release
 * and each load an acquire, so they stay between the loads and stores of the
 * number that guards them without a fence; on x86 that costs nothing.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): a builtin writes it */
static void store_words(uint64_t *to, const void *from, size_t n_words)
{
	const uint8_t *p = from;

	for (size_t i = 0; i < n_words; i++) {
		uint64_t word;

		memcpy(&word, p + i * sizeof word, sizeof word);
		__atomic_store_n(to + i, word, __ATOMIC_RELEASE);
	}
}

static void load_words(const uint64_t *from, void *to, size_t n_words)
{
	uint8_t *p = to;

	for (size_t i = 0; i < n_words; i++) {
		uint64_t word = __atomic_load_n(from + i, __ATOMIC_ACQUIRE);

		memcpy(p + i * sizeof word, &word, sizeof word);
	}
}

/*
 * The ring.  Stamp number k (from 1) lies in slot (k - 1) % LSV_STAMPS.  Its
 * number is written last; while the slot is rewritten it has a number that
 * nobody asks for.
 */

#define NUMBER_NONE(k) ((k) ^ UINT32_C(0x80000000))
/* The third of a stamp's words is shared by its number. */
#define STAMP_WORDS (sizeof(struct lsv_stamp) / 8)

static_assert(offsetof(struct lsv_stamp, number) == 20, "in word 2");
static_assert(offsetof(struct lsv_stamp, time_ns) == 24, "word 3");

void lsv_coord_stamp(struct lsv_coord_page *page, const struct lsv_shm *shm,
                     int64_t time_ns)
{
	uint32_t k = atomic_load_explicit(&page->stamp_next,
	                                  memory_order_relaxed) +
	             1;
	struct lsv_stamp *slot = &page->stamps[(k - 1) % LSV_STAMPS];
	struct lsv_stamp stamp = {
		.salt = {shm->salt[0], shm->salt[1]},
		.frame = shm->mx_frame,
		.checksum = {shm->frame_checksum[0], shm->frame_checksum[1]},
		.number = NUMBER_NONE(k),
		.time_ns = time_ns,
	};

	__atomic_store_n(&slot->number, NUMBER_NONE(k), __ATOMIC_RELAXED);
	store_words((uint64_t *)(void *)slot, &stamp, STAMP_WORDS);
	__atomic_store_n(&slot->number, k, __ATOMIC_RELEASE);
	atomic_store_explicit(&page->stamp_next, k, memory_order_release);
}

/* False: overwritten meanwhile, or being written. */
static bool read_stamp(const struct lsv_coord_page *page, uint32_t k,
                       struct lsv_stamp *stamp)
{
	const struct lsv_stamp *slot = &page->stamps[(k - 1) % LSV_STAMPS];

	if (__atomic_load_n(&slot->number, __ATOMIC_ACQUIRE) != k)
		return false;
	load_words((const uint64_t *)(const void *)slot, stamp, STAMP_WORDS);
	return __atomic_load_n(&slot->number, __ATOMIC_RELAXED) == k;
}

int64_t lsv_coord_time(const struct lsv_coord_page *page,
                       const uint32_t salt[2], uint32_t frame)
{
	uint32_t next = atomic_load_explicit(&page->stamp_next,
	                                     memory_order_acquire);
	uint32_t nearest = UINT32_MAX;
	int64_t time_ns = 0;

	/* Backwards, so that of two for one frame (the older was lost in a
	 * crash) the newer counts. */
	for (uint32_t i = 0; i < LSV_STAMPS && i < next; i++) {
		struct lsv_stamp stamp;

		if (!read_stamp(page, next - i, &stamp) ||
		    !lsv_salt_equal(stamp.salt, salt))
			continue;
		if (stamp.frame == frame)
			return stamp.time_ns;
		if (stamp.frame > frame && stamp.frame < nearest) {
			nearest = stamp.frame;
			time_ns = stamp.time_ns;
		}
	}
	return time_ns;
}

int64_t lsv_coord_stamped(const struct lsv_coord_page *page,
                          const struct lsv_shm *head)
{
	uint32_t next = atomic_load_explicit(&page->stamp_next,
	                                     memory_order_acquire);

	for (uint32_t i = 0; i < LSV_STAMPS && i < next; i++) {
		struct lsv_stamp stamp;

		if (read_stamp(page, next - i, &stamp) &&
		    lsv_salt_equal(stamp.salt, head->salt) &&
		    stamp.frame == head->mx_frame &&
		    stamp.checksum[0] == head->frame_checksum[0] &&
		    stamp.checksum[1] == head->frame_checksum[1])
			return stamp.time_ns;
	}
	return 0;
}

#define CAPTURED_WORDS (sizeof(struct lsv_captured) / 8)

void lsv_coord_set_captured(struct lsv_coord_page *page,
                            const struct lsv_captured *captured)
{
	/* Odd already: a writer died here, and we go on in its place. */
	uint32_t odd = atomic_load_explicit(&page->captured_seq,
	                                    memory_order_relaxed) |
	               1;

	/* An odd number that nobody has seen as even before. */
	atomic_store_explicit(&page->captured_seq, odd, memory_order_relaxed);
	store_words((uint64_t *)(void *)&page->captured, captured,
	            CAPTURED_WORDS);
	atomic_store_explicit(&page->captured_seq, odd + 1,
	                      memory_order_release);
}

/* A writer is done within microseconds or is gone. */
#define CAPTURED_TRIES 100

bool lsv_coord_captured(const struct lsv_coord_page *page,
                        struct lsv_captured *captured)
{
	for (int i = 0; i < CAPTURED_TRIES; i++) {
		uint32_t seq = atomic_load_explicit(&page->captured_seq,
		                                    memory_order_acquire);
		struct lsv_captured copy;

		if (seq & 1)
			continue;
		load_words((const uint64_t *)(const void *)&page->captured,
		           &copy, CAPTURED_WORDS);
		if (atomic_load_explicit(&page->captured_seq,
		                         memory_order_relaxed) != seq)
			continue;
		*captured = copy;
		return true;
	}
	return false;
}

void lsv_boot_id(uint8_t id[LSV_BOOT_ID_SIZE])
{
	auto_close int fd = lsv_open("/proc/sys/kernel/random/boot_id",
	                             O_RDONLY, 0);
	char text[64] = "";
	size_t n = 0;

	memset(id, 0, LSV_BOOT_ID_SIZE);
	if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
		return;
	/* 32 hex digits with dashes between. */
	for (const char *p = text; *p && n / 2 < LSV_BOOT_ID_SIZE; p++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = strchr(digits, *p);

		if (!digit)
			continue;
		id[n / 2] = (uint8_t)(id[n / 2] << 4 | (digit - digits));
		n++;
	}
}
