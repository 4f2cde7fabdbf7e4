/* SPDX-License-Identifier: MIT */
#include "replica/spool/folder.h"
#include "replica/spool/recover.h"
#include "replica/spool/shadow.h"
#include "replica/wal/pagehash.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define GENERATION UINT64_C(0xabcdef0123456789)
#define PAGE_SIZE 512
#define PAGES_MAX 400

/* ---- A leader in small: copies transactions into shadow and map ---- */

struct leader {
	struct lsv_shadow *shadow;
	struct lsv_pagemap *map;
	uint64_t seed;
	int pipe_fd; /* told of each commit; -1: nobody */
};

/* The database by brute force. */
struct model {
	uint64_t hash[PAGES_MAX + 1];
	uint32_t pages;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What transaction number n of a history does: the same for all. */
struct step {
	uint32_t n_frames;
	uint32_t db_pages;
	uint32_t page_no[30];
	uint8_t page[30][PAGE_SIZE];
};

static void make_step(uint64_t n, uint32_t pages, struct step *step)
{
	uint64_t seed = n * UINT64_C(0x9e3779b97f4a7c15) + 1;

	step->n_frames = (uint32_t)(next_random(&seed) % 30) + 1;
	step->db_pages = (uint32_t)(next_random(&seed) % PAGES_MAX) + 1;
	if (n % 4 && step->db_pages < pages)
		step->db_pages = pages;
	for (uint32_t i = 0; i < step->n_frames; i++) {
		step->page_no[i] =
			(uint32_t)(next_random(&seed) % step->db_pages) + 1;
		for (uint32_t j = 0; j < PAGE_SIZE; j += 8) {
			uint64_t word = next_random(&seed);

			memcpy(step->page[i] + j, &word, sizeof word);
		}
	}
}

static void model_step(struct model *model, const struct step *step)
{
	for (uint32_t i = 0; i < step->n_frames; i++)
		model->hash[step->page_no[i]] = lsv_page_hash(
			step->page_no[i], step->page[i], PAGE_SIZE);
	while (model->pages > step->db_pages)
		model->hash[model->pages--] = 0;
	model->pages = step->db_pages;
}

static uint64_t model_sum(const struct model *model)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= model->pages; i++)
		sum ^= model->hash[i];
	return sum;
}

static void copy_step(struct leader *leader, const struct step *step)
{
	uint64_t txid = lsv_shadow_end(leader->shadow)->commit.txid + 1;
	struct lsv_real real = {.frame = 1};

	for (uint32_t i = 0; i < step->n_frames; i++) {
		bool is_last = i + 1 == step->n_frames;

		ck_assert_int_eq(lsv_shadow_append(leader->shadow,
		                                   step->page_no[i],
		                                   is_last ? step->db_pages : 0,
		                                   step->page[i]),
		                 0);
		ck_assert_int_eq(lsv_pagemap_set(leader->map, step->page_no[i],
		                                 lsv_page_hash(step->page_no[i],
		                                               step->page[i],
		                                               PAGE_SIZE)),
		                 0);
	}
	lsv_pagemap_shrink(leader->map, step->db_pages);
	ck_assert_int_eq(lsv_shadow_commit(leader->shadow, 1,
	                                   lsv_pagemap_sum(leader->map), &real),
	                 0);
	ck_assert_int_eq(lsv_shadow_write(leader->shadow), 0);
	lsv_pagemap_commit(leader->map);
	if (leader->pipe_fd >= 0 &&
	    write(leader->pipe_fd, &txid, sizeof txid) != sizeof txid)
		_exit(1);
}

static void begin(struct leader *leader)
{
	struct lsv_record base = {0};

	*leader = (struct leader){.pipe_fd = -1};
	ck_assert_int_eq(lsv_shadow_create(".", GENERATION, 0, PAGE_SIZE, &base,
	                                   0600, &leader->shadow),
	                 0);
	ck_assert_int_eq(lsv_pagemap_open(".", PAGE_SIZE, 0600, &leader->map),
	                 0);
	ck_assert_int_eq(lsv_pagemap_clear(leader->map), 0);
	ck_assert_int_eq(lsv_pagemap_mark(leader->map, 0, 0), 0);
}

static void rotate(struct leader *leader)
{
	struct lsv_shadow *next = NULL;

	ck_assert_int_eq(
		lsv_shadow_create(
			".", GENERATION, lsv_shadow_index(leader->shadow) + 1,
			PAGE_SIZE, lsv_shadow_end(leader->shadow), 0600, &next),
		0);
	lsv_shadow_close(leader->shadow);
	leader->shadow = next;
}

static void mark(struct leader *leader)
{
	ck_assert_int_eq(
		lsv_pagemap_mark(leader->map, lsv_shadow_index(leader->shadow),
	                         lsv_shadow_end(leader->shadow)->commit.end),
		0);
}

static void end(struct leader *leader)
{
	lsv_shadow_close(leader->shadow);
	lsv_pagemap_close(leader->map);
}

/* Another leader takes over from what is on disk. */
static int take_over(struct leader *leader)
{
	struct lsv_indexes list = {0};
	uint32_t index;

	*leader = (struct leader){.pipe_fd = -1};
	ck_assert_int_eq(lsv_folder_indexes(".", &list), 0);
	ck_assert_uint_gt(list.n, 0);
	index = list.at[list.n - 1];
	free(list.at);
	ck_assert_int_eq(
		lsv_shadow_open(".", GENERATION, index, &leader->shadow), 0);
	ck_assert_int_eq(lsv_pagemap_open(".", PAGE_SIZE, 0600, &leader->map),
	                 0);
	return lsv_recover_pagemap(".", GENERATION, leader->map,
	                           lsv_shadow_end(leader->shadow), index);
}

/* Transactions n_from+1 .. n_to; indexes and marks come in between. */
static void run(struct leader *leader, uint64_t n_from, uint64_t n_to)
{
	static struct step step;

	for (uint64_t n = n_from + 1; n <= n_to; n++) {
		make_step(n, lsv_shadow_end(leader->shadow)->commit.db_pages,
		          &step);
		copy_step(leader, &step);
		if (n % 13 == 0)
			rotate(leader);
		if (n % 29 == 0)
			mark(leader);
	}
}

static void check(const struct leader *leader)
{
	uint64_t n = lsv_shadow_end(leader->shadow)->commit.txid;
	static struct model model;
	static struct step step;

	memset(&model, 0, sizeof model);
	for (uint64_t i = 1; i <= n; i++) {
		make_step(i, model.pages, &step);
		model_step(&model, &step);
	}
	ck_assert_uint_le(lsv_pagemap_pages(leader->map), model.pages);
	ck_assert_uint_eq(lsv_pagemap_sum(leader->map), model_sum(&model));
	ck_assert_uint_eq(lsv_shadow_end(leader->shadow)->commit.page_hash,
	                  n ? model_sum(&model) : 0);
}

/* ---- Tests ---- */

START_TEST(a_map_is_brought_to_the_shadows_end)
{
	auto_scratch char *dir = scratch_enter();
	struct leader leader;

	begin(&leader);
	for (uint64_t n = 0; n < 200; n++) {
		run(&leader, n, n + 1);
		end(&leader);
		ck_assert_int_eq(take_over(&leader), 0);
		check(&leader);
	}
	end(&leader);
}
END_TEST

START_TEST(many_indexes_are_replayed)
{
	auto_scratch char *dir = scratch_enter();
	struct leader leader;

	begin(&leader);
	run(&leader, 0, 29); /* marked at 29, in index 2 */
	for (uint64_t n = 29; n < 57; n++)
		run(&leader, n, n + 1);
	end(&leader);
	ck_assert_int_eq(take_over(&leader), 0);
	check(&leader);
	ck_assert_uint_eq(lsv_shadow_index(leader.shadow), 4);
	end(&leader);
	/* An index that the map needs is gone. */
	ck_assert_int_eq(lsv_folder_remove_index(".", 1), 0);
	ck_assert_int_eq(take_over(&leader), 0);
	end(&leader);
	ck_assert_int_eq(lsv_folder_remove_index(".", 3), 0);
	ck_assert_int_eq(take_over(&leader), -EBADMSG);
	end(&leader);
}
END_TEST

START_TEST(a_map_that_cannot_be_brought_there_is_refused)
{
	auto_scratch char *dir = scratch_enter();
	struct leader leader;
	struct stat st;

	begin(&leader);
	run(&leader, 0, 5);
	ck_assert_int_eq(stat("wal/00000000.commits", &st), 0);
	run(&leader, 5, 10);
	/* Ahead of the shadow: it was cut. */
	mark(&leader);
	end(&leader);
	ck_assert_int_eq(truncate("wal/00000000.commits", st.st_size), 0);
	ck_assert_int_eq(take_over(&leader), -EBADMSG);
	/* No position. */
	ck_assert_int_eq(lsv_pagemap_clear(leader.map), 0);
	end(&leader);
	ck_assert_int_eq(take_over(&leader), -EBADMSG);
	/* A page that is not what was committed. */
	ck_assert_int_eq(lsv_pagemap_mark(leader.map, 0, 0), 0);
	end(&leader);
	ck_assert_int_eq(take_over(&leader), 0);
	ck_assert_int_eq(lsv_pagemap_set(leader.map, 1, 4711), 0);
	mark(&leader);
	end(&leader);
	ck_assert_int_eq(take_over(&leader), -EBADMSG);
	end(&leader);
}
END_TEST

START_TEST(a_killed_leader_leaves_what_the_next_one_needs)
{
	auto_scratch char *dir = scratch_enter();
	struct leader leader;
	uint64_t told = 0;

	begin(&leader);
	end(&leader);
	for (useconds_t round = 0; round < 60; round++) {
		uint64_t n, txid;
		int pipes[2];
		pid_t pid;

		ck_assert_int_eq(pipe(pipes), 0);
		pid = unit_fork(pipes[1]);
		if (pid == 0) {
			if (take_over(&leader) < 0)
				_exit(1);
			leader.pipe_fd = pipes[1];
			n = lsv_shadow_end(leader.shadow)->commit.txid;
			run(&leader, n, UINT64_MAX);
		}
		close(pipes[1]);
		/* Once it is at work. */
		ck_assert_int_eq(read(pipes[0], &told, sizeof told),
		                 sizeof told);
		usleep(round * 331);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(pipes[0], &txid, sizeof txid) == sizeof txid)
			told = txid;
		close(pipes[0]);
		ck_assert_int_eq(take_over(&leader), 0);
		txid = lsv_shadow_end(leader.shadow)->commit.txid;
		/* What was told is there, and at most one commit more. */
		ck_assert(txid == told || txid == told + 1);
		end(&leader);
		told = txid;
	}
	ck_assert_uint_ge(told, 60);
	ck_assert_int_eq(take_over(&leader), 0);
	check(&leader);
	end(&leader);
}
END_TEST

UNIT(recover, a_map_is_brought_to_the_shadows_end, many_indexes_are_replayed,
     a_map_that_cannot_be_brought_there_is_refused,
     a_killed_leader_leaves_what_the_next_one_needs)
