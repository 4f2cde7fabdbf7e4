/* SPDX-License-Identifier: MIT */
#include "test/crash/bystander.h"

#include "replica/base/cleanup.h"
#include "test/crash/errand.h"
#include "test/crash/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static enum testimony record(unsigned no)
{
	char output[64];
	bool has_zero = false;

	snprintf(output, sizeof output, "image/%06u.db", no);
	if (!recovery_make("app.db", "side.db", output, &has_zero))
		return BYSTANDER_NOTHING;
	return has_zero ? BYSTANDER_ZERO_FRAMES : BYSTANDER_DONE;
}

/* Until the writer's end of the pipe is closed. */
static void serve(int ask, int answer)
{
	unsigned no;

	while (read(ask, &no, sizeof no) == sizeof no) {
		enum testimony said = record(no);

		if (write(answer, &said, sizeof said) != sizeof said)
			_exit(1);
	}
	_exit(0);
}

void bystander_begin(struct bystander *bystander)
{
	int ask[2], answer[2];
	pid_t pid;

	if (pipe2(ask, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		close(ask[1]);
		close(answer[0]);
		serve(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	bystander->ask = ask[1];
	bystander->answer = answer[0];
}

enum testimony bystander_record(const struct bystander *bystander, unsigned no)
{
	enum testimony said;

	if (write(bystander->ask, &no, sizeof no) != sizeof no ||
	    read(bystander->answer, &said, sizeof said) != sizeof said)
		die("the bystander is gone");
	return said;
}
