/* SPDX-License-Identifier: MIT */

/*
 * Asks the chain of credentials, and prints what it gives: the tests' own eye
 * on replica/store/credential.h.
 *
 *	whoami [option=value...] [get | renew | pause | fork | region]...
 *
 * Options: key_id, secret, token, anonymous.  "get" and "renew" ask; "pause"
 * waits until a renewal is not too soon; "fork" goes on in a child.
 * A line for each answer: the key, the secret, the token's length and
 * beginning; "anonymous"; or "error: " and why.
 */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/credential.h"
#include "replica/store/region.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static void print_failure(struct lsv_credentials *chain, int r)
{
	char why[LSV_CREDENTIALS_WHY_SIZE];

	lsv_credentials_why(chain, why);
	printf("error: %s: %s\n", strerror(-r), why);
}

static void ask(struct lsv_credentials *chain, bool renew)
{
	auto_credential struct lsv_credential found = {0};
	int r = lsv_credentials_get(chain, renew, &found);

	if (r < 0)
		print_failure(chain, r);
	else if (!found.key_id)
		printf("anonymous\n");
	else
		printf("%s %s %zu %.16s %s\n", found.key_id, found.secret,
		       found.token ? strlen(found.token) : 0,
		       found.token ? found.token : "-",
		       found.expires_ns ? "expires" : "lasts");
}

/* Until it may be asked again. */
static void pause_for_renewal(void)
{
	const struct timespec pause = {.tv_sec = 1,
	                               .tv_nsec = 100 * LSV_NS_PER_MS};

	nanosleep(&pause, NULL);
}

/* The parent waits, and ends as its child did. */
static void go_on_in_child(void)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		return;
	if (pid > 0)
		waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void print_region(void)
{
	auto_free char *region = NULL;

	printf("region %s\n", lsv_region_find(&region) == 0 ? region : "-");
}

static bool set_option(struct lsv_credential_options *options, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = 0;
	if (strcmp(word, "key_id") == 0)
		options->key_id = value;
	else if (strcmp(word, "secret") == 0)
		options->secret = value;
	else if (strcmp(word, "token") == 0)
		options->token = value;
	else if (strcmp(word, "anonymous") == 0)
		options->is_anonymous = true;
	return true;
}

int main(int argc, char **argv)
{
	struct lsv_credential_options options = {0};
	auto_credentials struct lsv_credentials *chain = NULL;
	int i = 1;

	lsv_log_configure(getenv("LSVFS_LOG"));
	while (i < argc && set_option(&options, argv[i]))
		i++;
	if (lsv_credentials_open(&options, &chain) < 0)
		return EXIT_FAILURE;
	for (; i < argc; i++) {
		if (strcmp(argv[i], "fork") == 0)
			go_on_in_child();
		else if (strcmp(argv[i], "region") == 0)
			print_region();
		else if (strcmp(argv[i], "pause") == 0)
			pause_for_renewal();
		else
			ask(chain, strcmp(argv[i], "renew") == 0);
	}
	return EXIT_SUCCESS;
}
