/* SPDX-License-Identifier: MIT */
#include "test/crash/errand.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define OUT "errand.out"
#define ERR "errand.err"
#define MAX_TEXT (1 << 16)
#define MAX_ARGS 16

static char *restore_program, *lsvfs_program;

void die(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("FAILED: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

int errand_run(const char *const argv[])
{
	posix_spawn_file_actions_t files;
	int flags = O_WRONLY | O_CREAT | O_TRUNC;
	int status, r;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, OUT, flags, 0600);
	posix_spawn_file_actions_addopen(&files, 2, ERR, flags, 0600);
	r = posix_spawn(&pid, argv[0], &files, NULL, (char *const *)argv,
	                environ);
	posix_spawn_file_actions_destroy(&files);
	if (r != 0)
		die("cannot run %s: %s", argv[0], strerror(r));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid: %s", strerror(errno));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *errand_errors(void)
{
	static char text[4096];
	auto_close int fd = open(ERR, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : lsv_pread(fd, text, sizeof text - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static char *find_program(const char *name, const char *variable)
{
	const char *given = getenv(variable);
	char *path = realpath(given ? given : name, NULL);

	return path;
}

void errand_find(void)
{
	restore_program = find_program("lsvfs-restore", "LSVFS_RESTORE");
	lsvfs_program = find_program("lsvfs", "LSVFS");
	if (!restore_program)
		die("no lsvfs-restore: set LSVFS_RESTORE, or start in the "
		    "build folder");
}

const char *errand_tmp(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp)
		return tmp;
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

const char *errand_lsvfs(void)
{
	if (!lsvfs_program)
		die("no lsvfs: set LSVFS, or start in the build folder");
	return lsvfs_program;
}

int errand_sync(const char *db_path, const char *url)
{
	const char *argv[] = {errand_lsvfs(), "sync",  "-timeout",
	                      "30s",          db_path, NULL};

	if (setenv("LSVFS_REPLICA_URL", url, 1) < 0)
		die("setenv: %s", strerror(errno));
	return errand_run(argv);
}

static void parse_answer(struct restore_answer *answer)
{
	static const char txid_key[] = "\"txid\":";
	static const char generation_key[] = "\"generation\":";
	auto_free char *text = NULL;
	const char *at;
	size_t n;

	if (lsv_file_read(OUT, MAX_TEXT, &text, &n) < 0)
		die("cannot read " OUT);
	at = strstr(text, txid_key);
	answer->txid = at ? strtoull(at + sizeof txid_key - 1, NULL, 10) : 0;
	at = strstr(text, generation_key);
	at = at ? strchr(at + sizeof generation_key - 1, '"') : NULL;
	if (at)
		snprintf(answer->generation, sizeof answer->generation, "%.16s",
		         at + 1);
}

void errand_restore(const char *url, const char *output,
                    const char *const options[], struct restore_answer *answer)
{
	const char *argv[MAX_ARGS] = {
		restore_program, "-json", "-parallelism", "1",
		"-force",        "-o",    output};
	int n = 7;

	while (options && *options && n < MAX_ARGS - 2)
		argv[n++] = *options++;
	argv[n++] = url;
	argv[n] = NULL;
	*answer = (struct restore_answer){.status = errand_run(argv)};
	if (answer->status == 0)
		parse_answer(answer);
}

bool first_difference(const char *path, const char *expected, uint64_t *offset)
{
	static char a[1 << 16], b[1 << 16];
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_close int other = open(expected, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0 || other < 0)
		die("cannot open %s: %s", fd < 0 ? path : expected,
		    strerror(errno));
	for (*offset = 0; n > 0; *offset += (uint64_t)n) {
		size_t same = 0;
		ssize_t m = lsv_pread(other, b, sizeof b, *offset);

		n = lsv_pread(fd, a, sizeof a, *offset);
		if (n < 0 || m < 0)
			die("cannot read %s or %s", path, expected);
		if (n == m && memcmp(a, b, (size_t)n) == 0)
			continue;
		while (same < (size_t)(n < m ? n : m) && a[same] == b[same])
			same++;
		*offset += same;
		return true;
	}
	return false;
}

bool same_bytes(const char *path, const char *expected)
{
	uint64_t offset;

	if (!first_difference(path, expected, &offset))
		return true;
	fprintf(stderr, "%s and %s differ from byte %" PRIu64 " on\n", path,
	        expected, offset);
	return false;
}
