/* SPDX-License-Identifier: MIT */
#include "tools/option.h"

#include "replica/base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* "name" of "-name", "--name" and "--name=value". */
static const char *name_of(const char *word, size_t *n)
{
	for (int k = 0; k < 2 && *word == '-'; k++)
		word++;
	*n = strcspn(word, "=");
	return word;
}

static bool is_whole(const char *word, const struct option *options)
{
	size_t n;
	const char *name = name_of(word, &n);

	for (; options->name; options++)
		if (strlen(options->name) == n &&
		    memcmp(options->name, name, n) == 0)
			return true;
	return false;
}

/* " (in full: -force)", or nothing. */
static void format_longer(const char *word, const struct option *options,
                          char *text, size_t size)
{
	size_t n, at = 0;
	const char *name = name_of(word, &n);

	*text = 0;
	for (; n > 0 && options->name && at + 1 < size; options++)
		if (strncmp(options->name, name, n) == 0 &&
		    strlen(options->name) > n)
			at += (size_t)snprintf(
				text + at, size - at, "%s-%s",
				at ? " or " : " (in full: ", options->name);
	if (at > 0 && at + 1 < size)
		snprintf(text + at, size - at, ")");
}

static int complain(const char *word, const char *why, const char *command)
{
	bool is_command = strcmp(command, program_invocation_name) != 0;

	log_error(0, "%s: %s, see %s%s%s -help", word, why,
	          program_invocation_short_name, is_command ? " " : "",
	          is_command ? command : "");
	return '?';
}

int option_next(int argc, char **argv, const struct option *options, int *i)
{
	char longer[128], why[160];
	const char *word;
	int c;

	opterr = 0;
	optarg = NULL;
	c = getopt_long_only(argc, argv, ":", options, i);
	if (c == -1)
		return c;
	/* A value of its own stands behind the option. */
	word = argv[optind - 1];
	if (optarg && optarg == word)
		word = argv[optind - 2];
	if (c != '?' && is_whole(word, options))
		return c == ':' ? complain(word, "expected a value", argv[0])
		                : c;
	format_longer(word, options, longer, sizeof longer);
	snprintf(why, sizeof why, "no such option%s", longer);
	return complain(word, why, argv[0]);
}
