/* SPDX-License-Identifier: MIT */
#include "test/crash/beside.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "test/crash/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG "replicate.log"
#define STATUS_MAX 8192
#define LOOK_US 1000
/* Beyond shutdown-sync-timeout, whatever the machine does besides. */
#define END_MS 120000

static pid_t owner, running;

/* Whoever gives up, says so by exit(). */
static void leave_nothing(void)
{
	if (running && getpid() == owner)
		kill(running, SIGKILL);
}

void beside_begin(struct beside *beside)
{
	const char *argv[] = {errand_lsvfs(), "replicate", "app.db", NULL};
	posix_spawn_file_actions_t files;
	int r;

	if (beside->pid)
		return;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, LOG,
	                                 O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	r = posix_spawn(&beside->pid, argv[0], &files, NULL,
	                (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (r != 0)
		die("cannot run %s: %s", argv[0], strerror(r));
	if (!owner)
		atexit(leave_nothing);
	owner = getpid();
	running = beside->pid;
}

static int reap(struct beside *beside, int options)
{
	int status;

	while (waitpid(beside->pid, &status, options) < 0) {
		if (errno != EINTR)
			die("waitpid: %s", strerror(errno));
	}
	return status;
}

static int gone(struct beside *beside)
{
	int status = reap(beside, 0);

	beside->pid = running = 0;
	beside->is_stopped = false;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void beside_kill(struct beside *beside)
{
	if (!beside->pid)
		return;
	kill(beside->pid, SIGKILL);
	beside->n_kills++;
	beside->n_falls++;
	if (gone(beside) != 128 + SIGKILL)
		die("lsvfs replicate had ended by itself: see " LOG);
}

void beside_stop(struct beside *beside)
{
	int status;

	if (!beside->pid || beside->is_stopped)
		return;
	kill(beside->pid, SIGSTOP);
	status = reap(beside, WUNTRACED);
	if (!WIFSTOPPED(status))
		die("lsvfs replicate has ended by itself (%#x): see " LOG,
		    (unsigned)status);
	beside->is_stopped = true;
	beside->n_falls++;
}

void beside_continue(struct beside *beside)
{
	if (beside->is_stopped)
		kill(beside->pid, SIGCONT);
	beside->is_stopped = false;
}

/* Just begun, it does not take signals yet: SIGTERM would be its death. */
static bool takes_signals(pid_t pid)
{
	auto_free char *path = lsv_sprintf("/proc/%d/status", (int)pid);
	auto_close int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[STATUS_MAX + 1];
	const char *blocked;
	ssize_t n = fd < 0 ? -1 : lsv_pread(fd, text, STATUS_MAX, 0);

	if (n < 0)
		die("cannot read /proc/%d/status", (int)pid);
	text[n < 0 ? 0 : n] = 0;
	blocked = strstr(text, "SigBlk:");
	return blocked && strtoull(blocked + strlen("SigBlk:"), NULL, 16) &
	                          (1ULL << (SIGTERM - 1));
}

static void await_signals(const struct beside *beside)
{
	int64_t until_ns = lsv_clock_mono_ns() + END_MS * LSV_NS_PER_MS;

	while (!takes_signals(beside->pid)) {
		if (lsv_clock_mono_ns() > until_ns)
			die("lsvfs replicate takes no signals");
		usleep(LOOK_US);
	}
}

int beside_end(struct beside *beside)
{
	auto_close int fd = pidfd_open(beside->pid, 0);
	struct pollfd ends = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		die("pidfd_open: %s", strerror(errno));
	beside_continue(beside);
	await_signals(beside);
	kill(beside->pid, SIGTERM);
	beside->n_falls++;
	if (poll(&ends, 1, END_MS) != 1)
		die("lsvfs replicate (%d) does not end", (int)beside->pid);
	return gone(beside);
}

void beside_meddle(struct beside *beside, struct dice *dice)
{
	uint32_t drawn = dice_below(dice, 100);

	if (!beside->pid)
		beside_begin(beside);
	else if (drawn < 50)
		beside_kill(beside);
	else if (!beside->is_stopped)
		beside_stop(beside);
	else
		beside_continue(beside);
}
