/* SPDX-License-Identifier: MIT */

/* Runs a fuzz target over the files that are named, so that what was found
 * once is looked at for ever, by any compiler. */

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "test/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#define INPUT_MAX (16U << 20)

static int replay(const char *path)
{
	auto_free char *bytes = NULL;
	auto_free uint8_t *exact = NULL;
	size_t n;
	int r = lsv_file_read(path, INPUT_MAX, &bytes, &n);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
		return r;
	}
	/* Not a byte more than there is, so that ASan sees an overrun. */
	exact = malloc(n ? n : 1);
	if (!exact)
		return -ENOMEM;
	memcpy(exact, bytes, n);
	return LLVMFuzzerTestOneInput(exact, n);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) < 0)
			return EXIT_FAILURE;
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
