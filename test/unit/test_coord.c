/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/spool/coord.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- Helpers ---- */

static struct lsv_coord_page *map(void)
{
	struct lsv_coord_page *page = NULL;
	ino_t ino;

	ck_assert_int_eq(lsv_coord_map(".", 0640, &page, &ino), 0);
	return page;
}

/* A struct in which every field follows from n. */
static struct lsv_captured captured_of(uint32_t n)
{
	return (struct lsv_captured){.salt = {n, n + 1},
	                             .frame = n + 2,
	                             .index = n + 3,
	                             .generation = n + UINT64_C(4),
	                             .offset = n + UINT64_C(5),
	                             .txid = n + UINT64_C(6),
	                             .time_ns = n + INT64_C(7)};
}

static void check_captured(const struct lsv_captured *captured)
{
	struct lsv_captured wanted = captured_of(captured->salt[0]);

	ck_assert_mem_eq(captured, &wanted, sizeof wanted);
}

/* A stamp in which everything follows from its frame. */
static void stamp(struct lsv_coord_page *page, uint32_t salt, uint32_t frame)
{
	struct lsv_shm shm = {.mx_frame = frame,
	                      .frame_checksum = {frame + 1, frame + 2},
	                      .salt = {salt, salt + 1}};

	lsv_coord_stamp(page, &shm, frame * INT64_C(1000));
}

static int64_t time_of(const struct lsv_coord_page *page, uint32_t salt,
                       uint32_t frame)
{
	uint32_t salts[2] = {salt, salt + 1};

	return lsv_coord_time(page, salts, frame);
}

static int64_t stamped(const struct lsv_coord_page *page, uint32_t salt,
                       uint32_t frame, uint32_t checksum)
{
	return lsv_coord_stamped(
		page,
		&(struct lsv_shm){.mx_frame = frame,
	                          .frame_checksum = {checksum, checksum + 1},
	                          .salt = {salt, salt + 1}});
}

static void wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* ---- Tests ---- */

START_TEST(the_file_is_whole_and_has_its_mode)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page;
	struct stat st;

	umask(077);
	page = map();
	ck_assert_int_eq(stat("coord", &st), 0);
	ck_assert_int_eq(st.st_size, LSV_COORD_SIZE);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(scratch_count("."), 1);
	ck_assert_uint_eq(page->version, LSV_COORD_VERSION);
	lsv_coord_unmap(page);
	lsv_coord_unmap(NULL);
}
END_TEST

START_TEST(two_mappings_are_one_page)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *a = map();
	struct lsv_coord_page *b = map();
	struct lsv_captured captured = captured_of(5);

	atomic_fetch_add(&a->epoch, 3);
	lsv_coord_set_captured(a, &captured);
	ck_assert_uint_eq(atomic_load(&b->epoch), 3);
	ck_assert(lsv_coord_captured(b, &captured));
	check_captured(&captured);
	lsv_coord_unmap(a);
	lsv_coord_unmap(b);
}
END_TEST

START_TEST(what_is_not_a_coord_is_refused)
{
	static const struct {
		off_t at;
		uint8_t value;
		int result;
	} cases[] = {
		{0, 'X', -EBADMSG}, /* magic */
		{8, 9, 0},          /* a newer version that allows us */
		{12, 2, -EPROTO},   /* one that does not */
		{17, 1, -EBADMSG},  /* smaller than ours */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_scratch char *dir = scratch_enter();
		struct lsv_coord_page *page = map();
		auto_close int fd = open("coord", O_RDWR);
		ino_t ino;

		lsv_coord_unmap(take(page));
		ck_assert_int_eq(pwrite(fd, &cases[i].value, 1, cases[i].at),
		                 1);
		ck_assert_int_eq(lsv_coord_map(".", 0600, &page, &ino),
		                 cases[i].result);
		ck_assert_int_eq(page != NULL, cases[i].result == 0);
		lsv_coord_unmap(take(page));
		ck_assert_int_eq(ftruncate(fd, LSV_COORD_SIZE - 1), 0);
		if (cases[i].result == 0)
			ck_assert_int_eq(lsv_coord_map(".", 0600, &page, &ino),
			                 -EBADMSG);
	}
}
END_TEST

START_TEST(no_folder_no_coord)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = NULL;
	ino_t ino;

	ck_assert_int_eq(lsv_coord_map("nowhere", 0600, &page, &ino), -ENOENT);
	ck_assert_int_eq(lsv_coord_alone(&page), 0);
	ck_assert_uint_eq(page->size, LSV_COORD_SIZE);
	stamp(page, 1, 1);
	ck_assert_int_eq(time_of(page, 1, 1), 1000);
	lsv_coord_unmap(page);
}
END_TEST

#define N_RACERS 8

START_TEST(whoever_makes_it_first_all_share_one)
{
	for (int round = 0; round < 20; round++) {
		auto_scratch char *dir = scratch_enter();
		pid_t pids[N_RACERS];
		struct lsv_coord_page *page;

		for (int i = 0; i < N_RACERS; i++) {
			pids[i] = unit_fork(-1);
			if (pids[i] == 0) {
				atomic_fetch_add(&map()->request, 1);
				_exit(0);
			}
		}
		for (int i = 0; i < N_RACERS; i++)
			wait_for(pids[i]);
		page = map();
		ck_assert_uint_eq(atomic_load(&page->request),
		                  page->first_ticket + N_RACERS);
		ck_assert_int_eq(scratch_count("."), 1);
		lsv_coord_unmap(page);
	}
}
END_TEST

START_TEST(a_commit_has_its_stamps_time_or_that_of_the_next)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();

	ck_assert_int_eq(time_of(page, 1, 1), 0);
	stamp(page, 1, 10);
	stamp(page, 1, 20);
	stamp(page, 1, 30);
	stamp(page, 5, 4);
	ck_assert_int_eq(time_of(page, 1, 20), 20000);
	ck_assert_int_eq(time_of(page, 1, 1), 10000);
	ck_assert_int_eq(time_of(page, 1, 11), 20000);
	ck_assert_int_eq(time_of(page, 1, 21), 30000);
	/* Behind the last one; another incarnation. */
	ck_assert_int_eq(time_of(page, 1, 31), 0);
	ck_assert_int_eq(time_of(page, 5, 3), 4000);
	ck_assert_int_eq(time_of(page, 2, 1), 0);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(only_its_own_stamp_tells_when_a_head_was_committed)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();

	stamp(page, 1, 10);
	stamp(page, 1, 20);
	stamp(page, 5, 4);
	ck_assert_int_eq(stamped(page, 1, 10, 11), 10000);
	ck_assert_int_eq(stamped(page, 1, 20, 21), 20000);
	ck_assert_int_eq(stamped(page, 5, 4, 5), 4000);
	/* Another frame, another incarnation, lost in a crash. */
	ck_assert_int_eq(stamped(page, 1, 9, 10), 0);
	ck_assert_int_eq(stamped(page, 5, 10, 11), 0);
	ck_assert_int_eq(stamped(page, 1, 20, 22), 0);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(the_ring_keeps_the_newest)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();

	for (uint32_t i = 1; i <= 1000; i++)
		stamp(page, 1, i);
	for (uint32_t i = 1; i <= 1000; i++)
		ck_assert_int_eq(time_of(page, 1, i),
		                 i > 1000 - LSV_STAMPS
		                         ? i * INT64_C(1000)
		                         : (1001 - LSV_STAMPS) * INT64_C(1000));
	/* Across the end of the numbers. */
	atomic_store(&page->stamp_next, UINT32_MAX - 2);
	for (uint32_t i = 1001; i <= 1010; i++)
		stamp(page, 1, i);
	ck_assert_int_eq(time_of(page, 1, 1010), 1010000);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(a_stamp_that_was_never_finished_does_not_count)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();

	for (uint32_t i = 1; i <= LSV_STAMPS; i++)
		stamp(page, 1, i);
	/* Killed while it overwrote the oldest. */
	page->stamps[0].number = (LSV_STAMPS + 1) ^ 0x80000000U;
	page->stamps[0].frame = 77;
	ck_assert_int_eq(time_of(page, 1, 1), 2000);
	ck_assert_int_eq(time_of(page, 1, 70), 0);
	stamp(page, 1, LSV_STAMPS + 1);
	ck_assert_int_eq(time_of(page, 1, 65), 65000);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(a_writer_that_died_leaves_nothing_known)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();
	struct lsv_captured captured = captured_of(3);

	lsv_coord_set_captured(page, &captured);
	atomic_fetch_add(&page->captured_seq, 1);
	ck_assert(!lsv_coord_captured(page, &captured));
	captured = captured_of(8);
	lsv_coord_set_captured(page, &captured);
	captured = captured_of(0);
	ck_assert(lsv_coord_captured(page, &captured));
	ck_assert_uint_eq(captured.salt[0], 8);
	lsv_coord_unmap(page);
}
END_TEST

/* ---- One writes, one reads: a process or a thread ---- */

#define N_READS 20000
/* On one processor, or under valgrind, each new value takes a switch from the
 * reader to the writer: as many as this time allows will do. */
#define READ_NS (5 * LSV_NS_PER_S)

/* Until the reader has read enough. */
static void *write_all(void *arg)
{
	struct lsv_coord_page *page = arg;

	for (uint32_t i = 1; atomic_load(&page->request) == 0; i++) {
		struct lsv_captured captured = captured_of(i);

		lsv_coord_set_captured(page, &captured);
		stamp(page, i / 1000, i);
	}
	return NULL;
}

static void read_all(struct lsv_coord_page *page)
{
	int64_t until_ns = lsv_clock_mono_ns() + READ_NS;
	struct lsv_captured captured = {0};

	for (int n = 0; n < N_READS && lsv_clock_mono_ns() < until_ns;) {
		uint32_t frame = captured.salt[0] + 1;
		int64_t ns = time_of(page, frame / 1000, frame);
		struct lsv_captured now;

		/* A stamp's time is its frame's, whichever was found. */
		ck_assert_int_eq(ns % 1000, 0);
		if (ns) {
			ck_assert_int_ge(ns, frame * INT64_C(1000));
			ck_assert_int_eq(ns / 1000 / 1000, frame / 1000);
		}
		if (!lsv_coord_captured(page, &now) || now.salt[0] == 0)
			continue;
		check_captured(&now);
		ck_assert_uint_ge(now.salt[0], captured.salt[0]);
		if (now.salt[0] == captured.salt[0])
			sched_yield();
		else
			n++;
		captured = now;
	}
	atomic_store(&page->request, 1);
}

START_TEST(another_process_never_sees_half_of_it)
{
	auto_scratch char *dir = scratch_enter();
	pid_t pid = unit_fork(-1);
	struct lsv_coord_page *page = map();

	if (pid == 0) {
		write_all(page);
		_exit(0);
	}
	read_all(page);
	wait_for(pid);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(another_thread_never_sees_half_of_it)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_all, page), 0);
	read_all(page);
	pthread_join(writer, NULL);
	lsv_coord_unmap(page);
}
END_TEST

/* ---- Futexes ---- */

START_TEST(a_wait_ends_in_time_or_at_once)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();
	int64_t begun = lsv_clock_mono_ns();

	lsv_futex_wait(&page->done, 1, -1); /* has another value */
	lsv_futex_wait(&page->done, 0, 0);
	ck_assert_int_lt(lsv_clock_mono_ns() - begun, 30 * LSV_NS_PER_S);
	begun = lsv_clock_mono_ns();
	lsv_futex_wait(&page->done, 0, 50 * LSV_NS_PER_MS);
	ck_assert_int_ge(lsv_clock_mono_ns() - begun, 50 * LSV_NS_PER_MS);
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(another_process_wakes_and_is_woken)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();
	pid_t pid = unit_fork(-1);

	if (pid == 0) {
		struct lsv_coord_page *mine = map();

		for (uint32_t i = 0; i < 1000; i++) {
			while (atomic_load(&mine->wake) == i)
				lsv_futex_wait(&mine->wake, i, -1);
			atomic_fetch_add(&mine->done, 1);
			lsv_futex_wake(&mine->done, 1);
		}
		_exit(0);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		atomic_fetch_add(&page->wake, 1);
		lsv_futex_wake(&page->wake, 1);
		while (atomic_load(&page->done) == i)
			lsv_futex_wait(&page->done, i, -1);
	}
	wait_for(pid);
	lsv_coord_unmap(page);
}
END_TEST

static void on_signal(int number)
{
	(void)number;
}

START_TEST(signals_neither_end_a_wait_nor_prolong_it)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = map();
	struct sigaction action = {.sa_handler = on_signal};
	int64_t begun = lsv_clock_mono_ns();
	pid_t parent = getpid();
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	pid = unit_fork(-1);
	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			kill(parent, SIGUSR1);
			usleep(3000);
		}
		_exit(0);
	}
	lsv_futex_wait(&page->done, 0, 100 * LSV_NS_PER_MS);
	ck_assert_int_ge(lsv_clock_mono_ns() - begun, 100 * LSV_NS_PER_MS);
	ck_assert_int_lt(lsv_clock_mono_ns() - begun, 30 * LSV_NS_PER_S);
	while (waitpid(pid, NULL, 0) < 0)
		;
	lsv_coord_unmap(page);
}
END_TEST

START_TEST(the_boot_has_an_id)
{
	uint8_t a[LSV_BOOT_ID_SIZE];
	uint8_t b[LSV_BOOT_ID_SIZE];
	static const uint8_t zeros[LSV_BOOT_ID_SIZE];

	lsv_boot_id(a);
	lsv_boot_id(b);
	ck_assert_mem_eq(a, b, sizeof a);
	ck_assert_mem_ne(a, zeros, sizeof a);
}
END_TEST

/* What is in the file's place is mapped where the old one was. */
START_TEST(a_page_is_replaced_in_its_place)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = NULL, *same;
	uint64_t first;
	ino_t ino;

	ck_assert_int_eq(lsv_coord_map(".", 0600, &page, &ino), 0);
	same = page;
	first = page->first_ticket;
	ck_assert_uint_eq(atomic_load(&page->shipped_ticket), first);
	ck_assert(lsv_coord_is_in(".", page, ino));
	ck_assert(lsv_coord_is_in(".", page, ino + 1)); /* numbered anew */
	ck_assert_int_eq(unlink("coord"), 0);
	ck_assert(!lsv_coord_is_in(".", page, ino));
	atomic_store(&page->wake, 7);
	ck_assert_int_eq(lsv_coord_map("nowhere", 0600, &page, &ino), -ENOENT);
	ck_assert_uint_eq(atomic_load(&same->wake), 7);
	lsv_coord_unmap(map()); /* another process's */
	ck_assert(!lsv_coord_is_in(".", page, ino));
	ck_assert_int_eq(lsv_coord_map(".", 0600, &page, &ino), 0);
	ck_assert_ptr_eq(page, same);
	ck_assert_uint_eq(atomic_load(&page->wake), 0);
	ck_assert_uint_gt(page->first_ticket, first);
	ck_assert(lsv_coord_is_in(".", page, ino));
	lsv_coord_unmap(page);
}
END_TEST

UNIT(coord, a_page_is_replaced_in_its_place, the_file_is_whole_and_has_its_mode,
     two_mappings_are_one_page, what_is_not_a_coord_is_refused,
     no_folder_no_coord, whoever_makes_it_first_all_share_one,
     a_commit_has_its_stamps_time_or_that_of_the_next,
     only_its_own_stamp_tells_when_a_head_was_committed,
     the_ring_keeps_the_newest, a_stamp_that_was_never_finished_does_not_count,
     a_writer_that_died_leaves_nothing_known,
     another_process_never_sees_half_of_it,
     another_thread_never_sees_half_of_it, a_wait_ends_in_time_or_at_once,
     another_process_wakes_and_is_woken,
     signals_neither_end_a_wait_nor_prolong_it, the_boot_has_an_id)
