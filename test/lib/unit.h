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
#include <stdlib.h>

#define UNIT_TIMEOUT_S 120

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
