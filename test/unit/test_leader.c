/* SPDX-License-Identifier: MIT */
#include "replica/base/cleanup.h"
#include "replica/spool/leader.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int open_lock(void)
{
	int fd = -1;

	ck_assert_int_eq(lsv_leader_open(".", 0644, &fd), 0);
	return fd;
}

/* Whether another process sees that it is taken. */
static bool other_sees_it(void)
{
	int status;
	pid_t pid = unit_fork(-1);

	if (pid == 0)
		_exit(lsv_leader_is_locked(open_lock()) ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

/* Whether another process can have the lock. */
static bool other_can_lock(void)
{
	int status;
	pid_t pid = unit_fork(-1);

	if (pid == 0)
		_exit(lsv_leader_lock(open_lock()) ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

START_TEST(only_one_process_has_it)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = open_lock();

	ck_assert(other_can_lock()); /* opening takes nothing */
	ck_assert(!other_sees_it());
	ck_assert(lsv_leader_lock(fd));
	ck_assert(!lsv_leader_is_locked(fd)); /* by another */
	ck_assert(other_sees_it());
	ck_assert(lsv_leader_lock(fd)); /* asked again and again */
	ck_assert(!other_can_lock());
	lsv_leader_unlock(fd);
	ck_assert(other_can_lock());
	ck_assert(lsv_leader_lock(fd)); /* who has exited has it no longer */
}
END_TEST

/* POSIX: any close of the file drops it (an application that copies its data
 * directory does so); asking again tells. */
START_TEST(a_lock_lost_by_a_close_is_noticed_when_taken)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = open_lock();
	int pipes[2];
	pid_t pid;
	char byte;

	ck_assert(lsv_leader_lock(fd));
	close(open("lock", O_RDONLY));
	ck_assert_int_eq(pipe(pipes), 0);
	pid = unit_fork(pipes[1]);
	if (pid == 0) {
		if (!lsv_leader_lock(open_lock()))
			_exit(1);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	ck_assert(!lsv_leader_lock(fd));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert(lsv_leader_lock(fd));
}
END_TEST

START_TEST(a_child_of_fork_does_not_have_it)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int fd = open_lock();
	int status;
	pid_t pid;

	ck_assert(lsv_leader_lock(fd));
	pid = unit_fork(fd);
	if (pid == 0)
		_exit(lsv_leader_lock(fd) ? 1 : 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!other_can_lock());
}
END_TEST

START_TEST(any_failure_is_no_lock)
{
	auto_scratch char *dir = scratch_enter();
	auto_close int read_only = -1;
	struct stat st;
	int fd = open_lock();

	ck_assert_int_eq(stat("lock", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0644);
	read_only = open("lock", O_RDONLY);
	ck_assert(!lsv_leader_lock(read_only));
	close(fd);
	ck_assert(!lsv_leader_lock(fd));
	ck_assert(!lsv_leader_lock(-1));
	ck_assert_int_eq(lsv_leader_open("nowhere", 0600, &fd), -ENOENT);
}
END_TEST

UNIT(leader, only_one_process_has_it,
     a_lock_lost_by_a_close_is_noticed_when_taken,
     a_child_of_fork_does_not_have_it, any_failure_is_no_lock)
