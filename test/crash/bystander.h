/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_BYSTANDER_H
#define LSV_TEST_BYSTANDER_H

/*
 * A process beside the one that writes: it may open and close the database's
 * files without taking away the writer's POSIX locks (I8).  It begins before
 * the writer touches SQLite, and ends with it.
 */

#include <stdbool.h>

struct bystander {
	int ask, answer; /* pipes */
};

void bystander_begin(struct bystander *bystander);

enum testimony { BYSTANDER_NOTHING, BYSTANDER_DONE, BYSTANDER_ZERO_FRAMES };

/* recovery_make() of app.db in the current folder, as image/<no>.db. */
enum testimony bystander_record(const struct bystander *bystander, unsigned no);

#endif
