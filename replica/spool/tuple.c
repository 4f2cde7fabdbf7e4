/* SPDX-License-Identifier: MIT */
#include "replica/spool/state.h"

#include "replica/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The kernel's clock for files moves every 1 to 10 ms, or some of these later
 * where a host takes processors away for a while. */
#define SETTLE_NS (50 * LSV_NS_PER_MS)
/* FAT counts in two seconds, ext3 in one. */
#define COARSEST_NS (2 * LSV_NS_PER_S)

static int64_t in_ns(const struct timespec *t)
{
	return t->tv_sec * LSV_NS_PER_S + t->tv_nsec;
}

int lsv_tuple_of(const char *path, struct lsv_tuple *tuple)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	tuple->dev = st.st_dev;
	tuple->ino = st.st_ino;
	tuple->size = (uint64_t)st.st_size;
	tuple->mtime_ns = in_ns(&st.st_mtim);
	tuple->ctime_ns = in_ns(&st.st_ctim);
	lsv_boot_id(tuple->boot);
	return 0;
}

bool lsv_tuple_equal(const struct lsv_tuple *a, const struct lsv_tuple *b)
{
	static const uint8_t unknown[LSV_BOOT_ID_SIZE];

	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
	       memcmp(a->boot, b->boot, sizeof a->boot) == 0 &&
	       memcmp(a->boot, unknown, sizeof unknown) != 0;
}

bool lsv_tuple_settle(const struct lsv_tuple *tuple)
{
	int64_t newest = tuple->mtime_ns > tuple->ctime_ns ? tuple->mtime_ns
	                                                   : tuple->ctime_ns;
	int64_t until = lsv_clock_mono_ns() + SETTLE_NS;
	struct timespec now;
	bool is_late = false;

	/* A file system that keeps no fractions. */
	if (tuple->mtime_ns % LSV_NS_PER_S == 0 &&
	    tuple->ctime_ns % LSV_NS_PER_S == 0)
		newest += COARSEST_NS;
	/* The clock from which the kernel takes a file's times; looked at once
	 * more when it is late, for we may have been kept from running. */
	while (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0) {
		if (in_ns(&now) > newest)
			return true;
		if (is_late || newest - in_ns(&now) > SETTLE_NS)
			break;
		nanosleep(&(struct timespec){0, LSV_NS_PER_MS}, NULL);
		is_late = lsv_clock_mono_ns() >= until;
	}
	return false;
}
