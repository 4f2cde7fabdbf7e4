/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_TARGET_H
#define LSVFS_TARGET_H

/*
 * What a command is about, as people name it: a replica by its URL, or a
 * database, whose replicas are looked up in the configuration.  A word with a
 * scheme ("file:///backup/app") is a URL, and so is the path of a directory;
 * any other path is a database, which need not exist any more.
 */

#include "replica/store/client.h"
#include "tools/configuration.h"

#include <stddef.h>

#define TARGET_REPLICAS 8

struct target_replica {
	char *name; /* unique among the target's */
	char *url;
	struct lsv_client *client;
};

struct target {
	char *db_path; /* absolute; NULL: it is a URL */
	struct target_replica replicas[TARGET_REPLICAS];
	size_t n_replicas; /* at least one */
};

/* What the command line says of it. */
struct target_options {
	struct configuration configuration;
	const char *replica; /* -replica: only this one; NULL: all */
	bool may_be_path;    /* a path that nothing knows is a replica's */
};

/* 0, or what exits_of() knows after it was said.  The caller closes it. */
int target_open(const char *word, const struct target_options *options,
                struct target *target);
void target_close(struct target *target);

#define auto_target __attribute__((cleanup(target_close)))

#endif
