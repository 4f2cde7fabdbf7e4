/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/spool/coord.h"
#include "replica/spool/folder.h"
#include "replica/spool/leader.h"
#include "replica/spool/pagemap.h"
#include "replica/spool/shadow.h"
#include "replica/spool/state.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DIR_NAME ".app.db-litestream"

/* ---- Helpers ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(lsv_write(fd, text, strlen(text)), 0);
}

static void make_db(mode_t mode)
{
	write_file("app.db", "", mode);
}

static bool make_folder(void)
{
	bool is_stock;

	ck_assert_int_eq(lsv_folder_make("app.db", &is_stock), 0);
	return is_stock;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(stat(path, &st) == 0, "%s", path);
	return st.st_mode & 07777;
}

static uint64_t new_generation(void)
{
	uint64_t generation;

	ck_assert_int_eq(lsv_folder_new_generation(DIR_NAME, 0600, &generation),
	                 0);
	return generation;
}

static void set_generation(uint64_t generation, mode_t mode)
{
	ck_assert_int_eq(lsv_folder_propose(DIR_NAME, generation, mode), 0);
	ck_assert_int_eq(lsv_folder_set_generation(DIR_NAME, generation), 0);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- Tests ---- */

START_TEST(the_folder_lies_beside_the_database)
{
	static const struct {
		const char *db, *folder;
	} cases[] = {
		{"/srv/app.db", "/srv/.app.db-litestream"},
		{"app.db", ".app.db-litestream"},
		{"/a b/%s.db", "/a b/.%s.db-litestream"},
		{"../x/y", "../x/.y-litestream"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_free char *path = lsv_folder_path(cases[i].db);

		ck_assert_str_eq(path, cases[i].folder);
	}
}
END_TEST

START_TEST(modes_follow_the_database_whatever_the_umask)
{
	static const struct {
		mode_t db, file, folder;
	} cases[] = {
		{0644, 0644, 0755}, {0600, 0600, 0700}, {0660, 0660, 0770},
		{0666, 0666, 0777}, {0755, 0644, 0755}, {0444, 0644, 0755},
	};

	umask(077);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		auto_scratch char *dir = scratch_enter();
		auto_free char *gen_dir = NULL;
		auto_free char *lock = NULL;
		uint64_t generation;

		make_db(cases[i].db);
		ck_assert(!make_folder());
		ck_assert_int_eq(lsv_folder_file_mode("app.db"), cases[i].file);
		ck_assert_int_eq(mode_of(DIR_NAME), cases[i].folder);
		ck_assert_int_eq(lsv_folder_new_generation(
					 DIR_NAME, cases[i].file, &generation),
		                 0);
		gen_dir = lsv_folder_generation_dir(DIR_NAME, generation);
		lock = lsv_path_join(gen_dir, "lock");
		ck_assert_int_eq(mode_of(gen_dir), cases[i].folder);
		ck_assert_int_eq(mode_of(lock), cases[i].file);
	}
}
END_TEST

START_TEST(without_a_database_files_are_private)
{
	auto_scratch char *dir = scratch_enter();

	ck_assert_int_eq(lsv_folder_file_mode("app.db"), 0600);
	make_db(0644);
	write_file(DIR_NAME, "in the way", 0600);
	ck_assert_int_eq(lsv_folder_make("app.db", &(bool){false}), -ENOTDIR);
}
END_TEST

START_TEST(a_generation_is_named_as_stock_names_it)
{
	auto_scratch char *dir = scratch_enter();
	auto_free char *text = NULL;
	char wanted[18];
	uint64_t generation, current;
	size_t n;

	make_db(0644);
	make_folder();
	ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &current), -ENOENT);
	generation = new_generation();
	ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &current), -ENOENT);
	set_generation(generation, 0644);
	ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &current), 0);
	ck_assert_uint_eq(current, generation);
	ck_assert_int_eq(lsv_file_read(DIR_NAME "/generation", 100, &text, &n),
	                 0);
	snprintf(wanted, sizeof wanted, "%016llx\n",
	         (unsigned long long)generation);
	ck_assert_uint_eq(n, 17);
	ck_assert_str_eq(text, wanted);
	ck_assert_int_eq(mode_of(DIR_NAME "/generation"), 0644);
}
END_TEST

START_TEST(a_proposal_that_was_withdrawn_comes_to_nothing)
{
	auto_scratch char *dir = scratch_enter();
	uint64_t first, second, current;

	make_db(0600);
	make_folder();
	first = new_generation();
	second = new_generation();
	ck_assert_int_eq(lsv_folder_propose(DIR_NAME, first, 0600), 0);
	ck_assert_int_eq(lsv_folder_propose(DIR_NAME, second, 0600), 0);
	ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &current), -ENOENT);
	ck_assert_int_eq(lsv_folder_withdraw_others(DIR_NAME, second), 0);
	ck_assert_int_eq(lsv_folder_set_generation(DIR_NAME, first), -EAGAIN);
	ck_assert_int_eq(lsv_folder_set_generation(DIR_NAME, second), 0);
	ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &current), 0);
	ck_assert_uint_eq(current, second);
	ck_assert_int_eq(lsv_folder_propose(DIR_NAME, first, 0600), 0);
	lsv_folder_withdraw(DIR_NAME, first);
	ck_assert_int_eq(lsv_folder_set_generation(DIR_NAME, first), -EAGAIN);
	ck_assert_int_eq(scratch_count(DIR_NAME), 2);
}
END_TEST

START_TEST(no_two_generations_are_the_same)
{
	auto_scratch char *dir = scratch_enter();
	uint64_t before = 0;

	make_db(0644);
	make_folder();
	for (int i = 0; i < 100; i++) {
		uint64_t generation = new_generation();

		ck_assert_uint_ne(generation, before);
		ck_assert_uint_ne((uint32_t)generation, 0);
		before = generation;
	}
	ck_assert_int_eq(scratch_count(DIR_NAME "/generations"), 100);
}
END_TEST

START_TEST(what_is_no_generation_of_ours_is_none)
{
	static const char *const texts[] = {
		"",
		"\n",
		"0123456789abcde\n",
		"0123456789abcdef0\n",
		"0123456789ABCDEF\n",
		"0123456789abcdef\n\n",
		"0123456789abcdef\n", /* well formed, but stock's */
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		auto_scratch char *dir = scratch_enter();
		uint64_t generation;

		make_db(0644);
		make_folder();
		ck_assert_int_eq(lsv_mkdirs(DIR_NAME "/generations/"
		                                     "0123456789abcdef/wal",
		                            0700),
		                 0);
		write_file(DIR_NAME "/generation", texts[i], 0600);
		ck_assert_int_eq(lsv_folder_generation(DIR_NAME, &generation),
		                 -ENOENT);
		ck_assert(make_folder()); /* it is Litestream's */
	}
}
END_TEST

START_TEST(a_folder_of_stocks_is_told_from_ours)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = NULL;
	ino_t ino;

	make_db(0644);
	ck_assert(!make_folder()); /* new */
	ck_assert(!make_folder()); /* empty */
	ck_assert_int_eq(lsv_mkdirs(DIR_NAME "/generations", 0700), 0);
	ck_assert(make_folder());
	ck_assert_int_eq(lsv_coord_map(DIR_NAME, 0644, &page, &ino), 0);
	lsv_coord_unmap(page);
	ck_assert(!make_folder());
	/* No room for a coord, but a generation of ours. */
	ck_assert_int_eq(unlink(DIR_NAME "/coord"), 0);
	set_generation(new_generation(), 0600);
	ck_assert(!make_folder());
}
END_TEST

START_TEST(indexes_rise_and_nothing_else_is_one)
{
	auto_scratch char *dir = scratch_enter();
	static const char *const others[] = {
		"wal/00000001.wal", "wal/0000000.commits",
		"wal/0000000A.commits", "wal/000000001.commits",
		"wal/00000005.commits.tmp"};
	static const uint32_t made[] = {3, 0x10, 1, 0xfffffffe, 2};
	static const uint32_t wanted[] = {1, 2, 3, 0x10, 0xfffffffe};
	struct lsv_indexes list = {0};

	ck_assert_int_eq(lsv_folder_indexes(".", &list), -ENOENT);
	ck_assert_uint_eq(lsv_folder_bytes("."), 0);
	ck_assert_int_eq(lsv_mkdirs("wal", 0700), 0);
	ck_assert_int_eq(lsv_folder_indexes(".", &list), 0);
	ck_assert_uint_eq(list.n, 0);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		write_file(others[i], "12345", 0600);
	ck_assert_uint_eq(lsv_folder_bytes("."), 25);
	for (size_t i = 0; i < 5; i++) {
		struct lsv_shadow *shadow;

		ck_assert_int_eq(lsv_shadow_create(".", 1, made[i], 512,
		                                   &(struct lsv_record){0},
		                                   0600, &shadow),
		                 0);
		lsv_shadow_close(shadow);
	}
	ck_assert_int_eq(lsv_folder_indexes(".", &list), 0);
	ck_assert_uint_eq(list.n, 5);
	for (size_t i = 0; i < list.n; i++)
		ck_assert_uint_eq(list.at[i], wanted[i]);
	free(list.at);
}
END_TEST

START_TEST(a_removed_index_is_gone)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_indexes list = {0};

	ck_assert_int_eq(lsv_mkdirs("wal", 0700), 0);
	for (int i = 0; i < 2; i++) {
		write_file("wal/00000001.wal", "12345", 0600);
		write_file("wal/00000001.commits", "12345", 0600);
		ck_assert_int_eq(lsv_folder_remove_index(".", 1), 0);
		ck_assert_int_eq(lsv_folder_remove_index(".", 1), 0);
		ck_assert_int_eq(lsv_folder_indexes(".", &list), 0);
		ck_assert_uint_eq(list.n, 0);
		free(list.at);
		ck_assert_uint_eq(lsv_folder_bytes("."), 0);
	}
}
END_TEST

START_TEST(a_discarded_generation_is_none_that_never_began)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_indexes list = {0};

	ck_assert_int_eq(lsv_mkdirs("wal", 0700), 0);
	write_file("lock", "", 0600);
	write_file("wal/00000001.wal", "12345", 0600);
	write_file("wal/00000001.commits", "12345", 0600);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(lsv_folder_discard("."), 0);
		ck_assert_int_eq(lsv_folder_indexes(".", &list), -ENOENT);
		ck_assert_int_eq(access("lock", F_OK), 0);
		ck_assert_int_lt(access("discarded", F_OK), 0);
	}
}
END_TEST

START_TEST(only_generations_of_ours_are_removed)
{
	auto_scratch char *dir = scratch_enter();
	uint64_t keep, old;
	auto_free char *kept = NULL;
	auto_free char *gone = NULL;
	auto_free char *inner = NULL;

	make_db(0644);
	make_folder();
	ck_assert_int_eq(lsv_folder_remove_others(DIR_NAME, 1), 0);
	old = new_generation();
	keep = new_generation();
	kept = lsv_folder_generation_dir(DIR_NAME, keep);
	gone = lsv_folder_generation_dir(DIR_NAME, old);
	inner = lsv_path_join(gone, "wal/00000001.wal");
	write_file(inner, "12345", 0600);
	ck_assert_int_eq(
		lsv_mkdirs(DIR_NAME "/generations/0123456789abcdef/wal", 0700),
		0);
	ck_assert_int_eq(lsv_mkdirs(DIR_NAME "/generations/other", 0700), 0);
	write_file(DIR_NAME "/generations/other/lock", "", 0600);
	ck_assert_int_eq(lsv_folder_remove_others(DIR_NAME, keep), 0);
	ck_assert(!is_there(gone));
	ck_assert(is_there(kept));
	ck_assert(is_there(DIR_NAME "/generations/0123456789abcdef/wal"));
	ck_assert(is_there(DIR_NAME "/generations/other/lock"));
}
END_TEST

/* A child that leads a generation, until its pipe is closed. */
static pid_t lead_elsewhere(uint64_t generation, int until[2])
{
	auto_free char *gen_dir = lsv_folder_generation_dir(DIR_NAME,
	                                                    generation);
	int ready[2], fd;
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(until), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(until[1]);
		if (lsv_leader_open(gen_dir, 0600, &fd) < 0 ||
		    !lsv_leader_lock(fd) || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit((int)read(until[0], &byte, 1));
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

START_TEST(a_successor_is_not_removed)
{
	auto_scratch char *dir = scratch_enter();
	uint64_t robbed, next;
	auto_free char *old = NULL;
	auto_free char *new = NULL;
	int until[2], status;
	pid_t child;

	make_db(0644);
	make_folder();
	robbed = new_generation();
	next = new_generation();
	old = lsv_folder_generation_dir(DIR_NAME, robbed);
	new = lsv_folder_generation_dir(DIR_NAME, next);
	child = lead_elsewhere(next, until);
	ck_assert_int_eq(lsv_folder_remove_others(DIR_NAME, robbed), 0);
	ck_assert(is_there(new));
	close(until[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(until[0]);
	/* Whoever leads removed what was ours. */
	ck_assert_int_eq(lsv_folder_remove_generation(old), 0);
	ck_assert_int_eq(lsv_folder_remove_others(DIR_NAME, robbed), 0);
	ck_assert(is_there(new));
}
END_TEST

START_TEST(old_leftovers_go_new_ones_stay)
{
	auto_scratch char *dir = scratch_enter();
	static const char *const names[] = {"state.tmp-123", "coord.AbCdEf",
	                                    "state", "coord", "parent"};
	static const struct timespec old[2] = {{1, 0}, {1, 0}};

	for (size_t i = 0; i < 5; i++)
		write_file(names[i], "x", 0600);
	ck_assert_int_eq(lsv_folder_remove_others(".", 1), 0);
	ck_assert_int_eq(scratch_count("."), 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(utimensat(AT_FDCWD, names[i], old, 0), 0);
	ck_assert_int_eq(lsv_folder_remove_others(".", 1), 0);
	ck_assert_int_eq(scratch_count("."), 3);
	ck_assert(is_there("coord"));
}
END_TEST

START_TEST(a_parent_is_a_position)
{
	auto_scratch char *dir = scratch_enter();
	static const struct {
		const char *text;
		int result;
		struct lsv_pos pos;
	} cases[] = {
		{"0123456789abcdef/0000000a:00001234\n",
	         0,
	         {0x0123456789abcdef, 10, 0x1234}},
		{"0123456789abcdef/0000000a:123456789\n",
	         0,
	         {0x0123456789abcdef, 10, 0x123456789}},
		{"0123456789abcdef/0000000a:00001234",
	         0,
	         {0x0123456789abcdef, 10, 0x1234}},
		{"0123456789abcdef/0000000a:0000123\n", -EINVAL, {0}},
		{"0123456789abcdef/0000000a:0000123x\n", -EINVAL, {0}},
		{"0123456789abcdef/0000000A:00001234\n", -EINVAL, {0}},
		{"0123456789abcdef:0000000a/00001234\n", -EINVAL, {0}},
		{"0123456789abcdef", -EINVAL, {0}},
		{"", -EINVAL, {0}},
	};
	struct lsv_pos parent = {0};

	ck_assert_int_eq(lsv_folder_parent(".", &parent), -ENOENT);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_file("parent", cases[i].text, 0600);
		parent = (struct lsv_pos){0};
		ck_assert_int_eq(lsv_folder_parent(".", &parent),
		                 cases[i].result);
		ck_assert_uint_eq(parent.generation, cases[i].pos.generation);
		ck_assert_uint_eq(parent.index, cases[i].pos.index);
		ck_assert_uint_eq(parent.offset, cases[i].pos.offset);
	}
}
END_TEST

/* ---- Root and the database's owner in turn ---- */

#define OWNER 12345
#define GROUP 23456

static int check_owner(const char *path, const struct stat *st, int type,
                       struct FTW *ftw)
{
	(void)type;
	(void)ftw;
	ck_assert_msg(st->st_uid == OWNER && st->st_gid == GROUP,
	              "%s belongs to %u:%u", path, st->st_uid, st->st_gid);
	return 0;
}

/* All that a process makes in there. */
static void make_all(void)
{
	struct lsv_coord_page *page = NULL;
	ino_t ino;
	struct lsv_pagemap *map;
	struct lsv_shadow *shadow;
	auto_free char *gen_dir = NULL;
	auto_close int lock = -1;
	struct lsv_state state = {0};
	uint64_t generation;
	mode_t mode = lsv_folder_file_mode("app.db");

	ck_assert(!make_folder());
	ck_assert_int_eq(lsv_coord_map(DIR_NAME, mode, &page, &ino), 0);
	lsv_coord_unmap(page);
	ck_assert_int_eq(lsv_folder_new_generation(DIR_NAME, mode, &generation),
	                 0);
	gen_dir = lsv_folder_generation_dir(DIR_NAME, generation);
	ck_assert_int_eq(lsv_leader_open(gen_dir, mode, &lock), 0);
	ck_assert(lsv_leader_lock(lock));
	ck_assert_int_eq(lsv_shadow_create(gen_dir, generation, 0, 4096,
	                                   &(struct lsv_record){0}, mode,
	                                   &shadow),
	                 0);
	lsv_shadow_close(shadow);
	set_generation(generation, mode);
	ck_assert_int_eq(lsv_pagemap_open(DIR_NAME, 4096, mode, &map), 0);
	lsv_pagemap_close(map);
	ck_assert_int_eq(lsv_state_store(DIR_NAME, &state, mode), 0);
	ck_assert_int_eq(lsv_folder_remove_others(DIR_NAME, generation), 0);
	ck_assert_int_eq(scratch_count(DIR_NAME "/generations"), 1);
}

START_TEST(root_makes_it_for_the_owner)
{
	auto_scratch char *dir = scratch_enter();
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	make_db(0640);
	ck_assert_int_eq(chown("app.db", OWNER, GROUP), 0);
	ck_assert_int_eq(chown(".", OWNER, GROUP), 0);
	for (int i = 0; i < 3; i++) {
		/* root, the owner, root again */
		pid = unit_fork(-1);
		if (pid == 0) {
			umask(027);
			if (i == 1 && (setgid(GROUP) < 0 || setuid(OWNER) < 0))
				_exit(1);
			make_all();
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(nftw(DIR_NAME, check_owner, 8, FTW_PHYS), 0);
		ck_assert_int_eq(mode_of(DIR_NAME), 0750);
	}
}
END_TEST

START_TEST(a_stranger_gets_an_error)
{
	auto_scratch char *dir = scratch_enter();
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	make_db(0644);
	ck_assert_int_eq(chmod(".", 0755), 0);
	pid = unit_fork(-1);
	if (pid == 0) {
		bool is_stock;

		if (setgid(GROUP) < 0 || setuid(OWNER) < 0)
			_exit(1);
		_exit(lsv_folder_make("app.db", &is_stock) == -EACCES ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_planted_link_is_not_followed)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_coord_page *page = NULL;
	ino_t ino;
	int fd;

	ck_assert_int_eq(symlink("/etc/passwd", "coord"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "lock"), 0);
	ck_assert_int_eq(lsv_coord_map(".", 0600, &page, &ino), -ELOOP);
	ck_assert_int_eq(lsv_leader_open(".", 0600, &fd), -ELOOP);
}
END_TEST

UNIT(folder, the_folder_lies_beside_the_database,
     modes_follow_the_database_whatever_the_umask,
     without_a_database_files_are_private,
     a_generation_is_named_as_stock_names_it,
     a_proposal_that_was_withdrawn_comes_to_nothing,
     no_two_generations_are_the_same, what_is_no_generation_of_ours_is_none,
     a_folder_of_stocks_is_told_from_ours, indexes_rise_and_nothing_else_is_one,
     a_removed_index_is_gone, a_discarded_generation_is_none_that_never_began,
     only_generations_of_ours_are_removed, a_successor_is_not_removed,
     old_leftovers_go_new_ones_stay, a_parent_is_a_position,
     root_makes_it_for_the_owner, a_stranger_gets_an_error,
     a_planted_link_is_not_followed)
