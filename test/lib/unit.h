/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_UNIT_H
#define LSV_TEST_UNIT_H

/*
 * One test program a module, over libcheck.  A case is a sentence; the table
 * in it is the specification:
 *
 *	START_TEST(an_index_orders_before_an_offset)
 *	{
 *		ck_assert_int_lt(lsv_pos_compare(&a, &b), 0);
 *	}
 *	END_TEST
 *
 *	UNIT(pos, an_index_orders_before_an_offset)
 *
 * UNIT is main().  Each case runs in a process of its own (CK_FORK=no: all in
 * one, for a debugger); CK_VERBOSITY=verbose names the cases that pass.
 */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIT_TIMEOUT_S 300

/*
 * fork() within a case, for a child that checks something or is killed.  All
 * processes of a case write to libcheck's one message file: of a child killed
 * at it half a message stays, and the case ends with "Bad message type".  So
 * the child's messages go nowhere (a check that fails there still ends it,
 * not with 0), and of the descriptors it inherits only 'keep' stays (or -1).
 */
static inline pid_t unit_fork(int keep)
{
	pid_t pid = fork();
	int null_fd;

	if (pid != 0)
		return pid;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		_exit(127);
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		if (fd != keep && fd != null_fd && fcntl(fd, F_GETFD) >= 0 &&
		    dup2(null_fd, fd) < 0)
			_exit(127);
	return 0;
}

static inline int unit_run(const char *module, const TTest *const *cases,
                           size_t n_cases)
{
	Suite *suite = suite_create(module);
	TCase *tcase = tcase_create(module);
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_set_timeout(tcase, UNIT_TIMEOUT_S);
	for (size_t i = 0; i < n_cases; i++)
		tcase_add_test(tcase, cases[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define UNIT(module, ...)                                                      \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const cases[] = {__VA_ARGS__};                    \
                                                                               \
		return unit_run(#module, cases, sizeof cases / sizeof *cases); \
	}

#endif
