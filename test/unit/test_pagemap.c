/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/spool/pagemap.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- Helpers ---- */

static struct lsv_pagemap *open_map(uint32_t page_size)
{
	struct lsv_pagemap *map = NULL;

	ck_assert_int_eq(lsv_pagemap_open(".", page_size, 0640, &map), 0);
	return map;
}

static struct lsv_pagemap *reopen(struct lsv_pagemap *map)
{
	lsv_pagemap_close(map);
	return open_map(4096);
}

static void set(struct lsv_pagemap *map, uint32_t page_no, uint64_t hash)
{
	ck_assert_int_eq(lsv_pagemap_set(map, page_no, hash), 0);
}

/* The same by brute force. */
#define MODEL_PAGES 3000

struct model {
	uint64_t hash[MODEL_PAGES + 1];
	uint32_t pages;
};

static uint64_t model_sum(const struct model *model)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= model->pages; i++)
		sum ^= model->hash[i];
	return sum;
}

static void model_set(struct model *model, uint32_t page_no, uint64_t hash)
{
	model->hash[page_no] = hash;
	if (page_no > model->pages)
		model->pages = page_no;
}

static void model_shrink(struct model *model, uint32_t n)
{
	while (model->pages > n)
		model->hash[model->pages--] = 0;
}

static void check(const struct lsv_pagemap *map, const struct model *model)
{
	ck_assert_uint_eq(lsv_pagemap_pages(map), model->pages);
	ck_assert_uint_eq(lsv_pagemap_sum(map), model_sum(model));
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One transaction: some pages, then perhaps fewer pages than before. */
static void change(struct lsv_pagemap *map, struct model *model, uint64_t *seed)
{
	uint32_t n = (uint32_t)(next_random(seed) % 40) + 1;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t page_no = (uint32_t)(next_random(seed) % MODEL_PAGES) +
		                   1;
		uint64_t hash = next_random(seed);

		if (map)
			set(map, page_no, hash);
		model_set(model, page_no, hash);
	}
	if (next_random(seed) % 3 == 0) {
		n = (uint32_t)(next_random(seed) % (MODEL_PAGES + 1));
		if (map)
			lsv_pagemap_shrink(map, n);
		model_shrink(model, n);
	}
}

/* ---- Tests ---- */

START_TEST(a_new_map_has_no_position)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);
	uint32_t index = 7;
	uint64_t offset = 8;
	struct stat st;

	ck_assert(!lsv_pagemap_position(map, &index, &offset));
	ck_assert_uint_eq(lsv_pagemap_sum(map), 0);
	ck_assert_uint_eq(lsv_pagemap_pages(map), 0);
	ck_assert_int_eq(lsv_pagemap_mark(map, 3, 4711), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(lsv_pagemap_position(map, &index, &offset));
		ck_assert_uint_eq(index, 3);
		ck_assert_uint_eq(offset, 4711);
		map = reopen(map);
	}
	ck_assert_int_eq(lsv_pagemap_clear(map), 0);
	ck_assert(!lsv_pagemap_position(map, &index, &offset));
	map = reopen(map);
	ck_assert(!lsv_pagemap_position(map, &index, &offset));
	lsv_pagemap_close(map);
	lsv_pagemap_close(NULL);
	ck_assert_int_eq(stat("pagehash", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(st.st_size, 4096);
}
END_TEST

START_TEST(the_header_is_as_the_manual_says)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(0x10000);
	auto_free char *bytes = NULL;
	static const char wanted[48] = "LSVFSPH1"
				       "\1\0\0\0\0\0\1\0"
				       "\4\3\2\1\2\0\0\0"
				       "\10\7\6\5\4\3\2\1"
				       "\21\0\0\0\0\0\0\0"
				       "\210\167\146\125\104\63\42\21";

	set(map, 2, 0x1122334455667788);
	set(map, 1, 17);
	ck_assert_int_eq(lsv_pagemap_mark(map, 0x01020304, 0x0102030405060708),
	                 0);
	lsv_pagemap_close(map);
	ck_assert_int_eq(lsv_file_read("pagehash", SIZE_MAX, &bytes, NULL), 0);
	ck_assert_mem_eq(bytes, wanted, sizeof wanted);
}
END_TEST

START_TEST(any_byte_of_a_header_may_empty_it)
{
	auto_scratch char *dir = scratch_enter();

	for (off_t i = 0; i < 16; i++) {
		struct lsv_pagemap *map = open_map(4096);
		auto_close int fd = open("pagehash", O_RDWR);
		uint32_t index;
		uint64_t offset;
		char byte;

		set(map, 9, 9);
		ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
		lsv_pagemap_close(map);
		ck_assert_int_eq(pread(fd, &byte, 1, i), 1);
		byte ^= 0x11;
		ck_assert_int_eq(pwrite(fd, &byte, 1, i), 1);
		map = open_map(4096);
		ck_assert(!lsv_pagemap_position(map, &index, &offset));
		ck_assert_uint_eq(lsv_pagemap_sum(map), 0);
		set(map, 1000, 5);
		ck_assert_uint_eq(lsv_pagemap_sum(map), 5);
		lsv_pagemap_close(map);
	}
}
END_TEST

START_TEST(a_file_of_another_page_size_or_length_is_emptied)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);
	uint32_t index;
	uint64_t offset;

	set(map, 1000, 9);
	ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
	lsv_pagemap_close(map);
	map = open_map(512);
	ck_assert(!lsv_pagemap_position(map, &index, &offset));
	set(map, 1000, 9);
	ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
	lsv_pagemap_close(map);
	ck_assert_int_eq(truncate("pagehash", 8031), 0);
	map = open_map(512);
	ck_assert(!lsv_pagemap_position(map, &index, &offset));
	ck_assert_uint_eq(lsv_pagemap_pages(map), 0);
	lsv_pagemap_close(map);
	ck_assert_int_eq(lsv_pagemap_open(".", 1000, 0600, &map), -EINVAL);
}
END_TEST

START_TEST(it_is_what_brute_force_says)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);
	static struct model model, before;
	uint64_t seed = 88172645463325252;

	for (int i = 0; i < 4000; i++) {
		before = model;
		change(map, &model, &seed);
		if (i % 5 == 0) /* several may come before a commit */
			change(map, &model, &seed);
		check(map, &model);
		if (i % 7 == 0) {
			lsv_pagemap_rollback(map);
			model = before;
			check(map, &model);
		}
		lsv_pagemap_commit(map);
		check(map, &model);
		if (i % 50)
			continue;
		ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
		map = reopen(map);
		check(map, &model);
	}
	lsv_pagemap_close(map);
}
END_TEST

START_TEST(what_was_not_marked_is_redone_from_the_mark)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);
	static struct model marked, model;
	uint64_t seed = 1234567;

	for (int round = 0; round < 300; round++) {
		uint64_t redo = seed;

		for (int i = 0; i < 5; i++) {
			change(map, &model, &seed);
			lsv_pagemap_commit(map);
		}
		/* Not marked: it may have run ahead. */
		map = reopen(map);
		ck_assert_uint_eq(lsv_pagemap_pages(map), marked.pages);
		for (int i = 0; i < 5; i++)
			change(map, &marked, &redo);
		check(map, &model);
		ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
		marked = model;
	}
	lsv_pagemap_close(map);
}
END_TEST

START_TEST(an_uncommitted_transaction_leaves_no_trace)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);

	for (uint32_t i = 1; i <= 1000; i++)
		set(map, i, i);
	ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
	set(map, 1, 77);
	set(map, 2000, 78);
	lsv_pagemap_shrink(map, 10);
	ck_assert_uint_eq(lsv_pagemap_pages(map), 10);
	map = reopen(map); /* as if killed here */
	ck_assert_uint_eq(lsv_pagemap_pages(map), 1000);
	ck_assert_uint_eq(lsv_pagemap_sum(map), 1000);
	lsv_pagemap_close(map);
}
END_TEST

START_TEST(a_huge_transaction_does_not_stay_in_memory)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map = open_map(4096);
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= 3000000; i++) {
		set(map, i, i * UINT64_C(0x9e3779b97f4a7c15));
		sum ^= i * UINT64_C(0x9e3779b97f4a7c15);
	}
	ck_assert_uint_eq(lsv_pagemap_sum(map), sum);
	ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
	map = reopen(map);
	ck_assert_uint_eq(lsv_pagemap_sum(map), sum);
	lsv_pagemap_shrink(map, 1);
	ck_assert_uint_eq(lsv_pagemap_sum(map), 0x9e3779b97f4a7c15);
	lsv_pagemap_close(map);
}
END_TEST

/* A leader that was stopped goes on with its own when another began anew. */
START_TEST(a_cleared_file_does_not_hurt_who_has_it_mapped)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *old = open_map(4096);
	struct lsv_pagemap *map;

	for (uint32_t i = 1; i <= 10000; i++)
		set(old, i, i);
	ck_assert_int_eq(lsv_pagemap_mark(old, 1, 1), 0);
	map = open_map(4096);
	ck_assert_int_eq(lsv_pagemap_clear(map), 0);
	set(map, 1, 4711);
	ck_assert_int_eq(lsv_pagemap_mark(map, 0, 0), 0);
	for (uint32_t i = 1; i <= 10000; i++)
		set(old, i, 1);
	ck_assert_int_eq(lsv_pagemap_set(old, 1000000, 1), -ESTALE);
	lsv_pagemap_shrink(old, 9000);
	ck_assert_int_eq(lsv_pagemap_mark(old, 9, 9), 0);
	lsv_pagemap_close(old);
	map = reopen(map);
	ck_assert_uint_eq(lsv_pagemap_pages(map), 1);
	ck_assert_uint_eq(lsv_pagemap_sum(map), 4711);
	lsv_pagemap_close(map);
}
END_TEST

/* ---- kill -9 in between ---- */

/* Changes and marks on and on; what goes over the pipe first stands for the
 * shadow's record. */
static void work(int pipe_fd, struct model *model, uint64_t seed)
{
	struct lsv_pagemap *map = open_map(4096);

	for (uint64_t n = 0;; n++) {
		change(map, model, &seed);
		if (write(pipe_fd, &n, sizeof n) != sizeof n)
			_exit(1);
		lsv_pagemap_commit(map);
		if (n % 3 == 0 && lsv_pagemap_mark(map, 0, n) < 0)
			_exit(1);
	}
}

START_TEST(a_kill_at_any_moment_costs_only_a_redo)
{
	auto_scratch char *dir = scratch_enter();
	uint64_t n_done = 0, n_most = 0;

	for (useconds_t round = 0; round < 40; round++) {
		static struct model model, redone;
		uint64_t seed = 42 + round, n, offset;
		int pipes[2], status;
		struct lsv_pagemap *map;
		uint32_t index;
		pid_t pid;

		memset(&model, 0, sizeof model);
		redone = model;
		unlink("pagehash");
		ck_assert_int_eq(pipe(pipes), 0);
		pid = unit_fork(pipes[1]);
		if (pid == 0)
			work(pipes[1], &model, seed);
		close(pipes[1]);
		/* Once it is at work. */
		ck_assert_int_eq(read(pipes[0], &n, sizeof n), sizeof n);
		usleep(round * 517);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		for (n_done = 1; read(pipes[0], &n, sizeof n) == sizeof n;)
			n_done = n + 1;
		close(pipes[0]);

		map = open_map(4096);
		if (!lsv_pagemap_position(map, &index, &offset)) {
			ck_assert_uint_eq(lsv_pagemap_sum(map), 0);
			offset = UINT64_MAX;
		}
		/* The model's whole history; the map's from its mark on. */
		n_done = n_done > offset + 1 ? n_done : offset + 1;
		for (n = 0; n < n_done; n++)
			change(n > offset || offset == UINT64_MAX ? map : NULL,
			       &redone, &seed);
		check(map, &redone);
		lsv_pagemap_close(map);
		n_most = n_done > n_most ? n_done : n_most;
	}
	/* Some kill came late enough to prove anything. */
	ck_assert_uint_gt(n_most, 1);
}
END_TEST

/* ---- A full disk ---- */

START_TEST(a_full_disk_is_an_error_and_no_signal)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_pagemap *map;
	uint32_t i;
	int r = 0;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir("small", 0700) < 0 ||
	    mount("none", "small", "tmpfs", 0, "size=256k") < 0)
		return; /* not root here */
	ck_assert_int_eq(chdir("small"), 0);
	map = open_map(4096);
	for (i = 1; r == 0 && i < 1000000; i++)
		r = lsv_pagemap_set(map, i, i);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_uint_gt(i, 20000);
	lsv_pagemap_commit(map);
	ck_assert_uint_eq(lsv_pagemap_pages(map), i - 2);
	ck_assert_int_eq(lsv_pagemap_mark(map, 1, 1), 0);
	lsv_pagemap_close(map);
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(umount("small"), 0);
}
END_TEST

UNIT(pagemap, a_new_map_has_no_position, the_header_is_as_the_manual_says,
     any_byte_of_a_header_may_empty_it,
     a_file_of_another_page_size_or_length_is_emptied,
     it_is_what_brute_force_says, what_was_not_marked_is_redone_from_the_mark,
     an_uncommitted_transaction_leaves_no_trace,
     a_huge_transaction_does_not_stay_in_memory,
     a_cleared_file_does_not_hurt_who_has_it_mapped,
     a_kill_at_any_moment_costs_only_a_redo,
     a_full_disk_is_an_error_and_no_signal)
