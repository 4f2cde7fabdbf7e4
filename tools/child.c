/* SPDX-License-Identifier: MIT */
#include "tools/child.h"

#include "replica/base/cleanup.h"
#include "replica/base/log.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One word, without its quotes, to *out; both are moved on.  False: a quote is
 * open. */
static bool copy_word(const char **line, char **out)
{
	char quote = 0;

	for (; **line && (quote || !strchr(" \t\n", **line)); (*line)++) {
		char c = **line;

		if (c == '\\' && quote != '\'' && (*line)[1])
			*(*out)++ = *++*line;
		else if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else
			*(*out)++ = c;
	}
	*(*out)++ = 0;
	return !quote;
}

char **child_words(const char *line)
{
	/* Two characters make at most one word, and the text gets shorter. */
	size_t n_max = strlen(line) / 2 + 2, n = 0;
	auto_free char **words = malloc(n_max * sizeof *words + strlen(line) +
	                                1);
	char *out = words ? (char *)(words + n_max) : NULL;

	if (!words)
		return NULL;
	for (line += strspn(line, " \t\n"); *line;
	     line += strspn(line, " \t\n")) {
		words[n++] = out;
		if (!copy_word(&line, &out))
			return NULL;
	}
	words[n] = NULL;
	return n ? take(words) : NULL;
}

int child_start(struct child *child, const char *line, const sigset_t *mask)
{
	auto_free char **words = child_words(line);
	posix_spawnattr_t attributes;
	int error;

	if (!words)
		return log_error(-EINVAL, "cannot make out the words of '%s'",
		                 line);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&child->pid, words[0], NULL, &attributes, words,
	                     environ);
	posix_spawnattr_destroy(&attributes);
	if (error)
		child->pid = 0;
	return error ? log_error(-error, "cannot start %s", words[0]) : 0;
}

void child_signal(const struct child *child, int signal_no)
{
	if (child->pid > 0)
		kill(child->pid, signal_no);
}

bool child_reap(struct child *child)
{
	bool is_ours = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		is_ours = true;
		child->pid = 0;
		child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		                                    : WEXITSTATUS(status);
	}
	return is_ours;
}
