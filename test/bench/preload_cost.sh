#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What being preloaded costs a program that never opens a database: starts of
# a program that does nothing, with and without us, in turns; medians.
#
#	test/bench/preload_cost.sh [PAIRS]      (in the build folder)

. "${top_srcdir:-$(dirname "$0")/../..}/test/lib/functions.sh"
. "$top_srcdir/test/lib/ways.sh"

pairs=${1:-500}
cat >nothing.c <<'END'
int main(void) { return 0; }
END
cat >starts.c <<'END'
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
static double start(char *program, char **env)
{
	struct timespec a, b;
	char *argv[] = {program, NULL};
	pid_t pid;
	int status;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (posix_spawn(&pid, program, NULL, NULL, argv, env) ||
	    waitpid(pid, &status, 0) != pid || status)
		exit(1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 +
	       (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}
static int order(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return d < 0 ? -1 : d > 0;
}
int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[3]) : 1;
	char *bare[] = {NULL}, *preloaded[] = {argv[2], "LSVFS_REPLICA_URL=/b", NULL};
	double *without = calloc(n, sizeof(double));
	double *with = calloc(n, sizeof(double));
	for (int i = 0; i < n; i++) {
		without[i] = start(argv[1], bare);
		with[i] = start(argv[1], preloaded);
	}
	qsort(without, n, sizeof(double), order);
	qsort(with, n, sizeof(double), order);
	printf("start: %.3f ms, preloaded %.3f ms, difference %.3f ms "
	       "(medians of %d; budget 1 ms)\n", without[n / 2], with[n / 2],
	       with[n / 2] - without[n / 2], n);
	return with[n / 2] - without[n / 2] < 1 ? 0 : 1;
}
END
$CC -O1 -o nothing nothing.c
$CC -O1 -o starts starts.c
./starts ./nothing "LD_PRELOAD=$LIBLSVFS" "$pairs"
