/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_FUZZ_H
#define LSV_TEST_FUZZ_H

/*
 * A fuzz target: any bytes, no crash, and what is accepted must be sound.
 * libFuzzer calls it with bytes it thought of, replay.c with those of files.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* As assert(), with NDEBUG, too. */
#define must(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			abort();                                               \
	} while (0)

#endif
