/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_RESTORE_ARGS_H
#define LSVFS_RESTORE_ARGS_H

/* The command line of lsvfs-restore. */

#include "replica/restore/restore.h"
#include "tools/target.h"

struct restore_args {
	const char *word;             /* a database or a URL */
	struct target_options source; /* how the former's replica is found */
	const char *output;
	struct lsv_target target;
	unsigned parallelism; /* 0: not said */
	bool has_check;
	enum lsv_check check;
	bool if_db_not_exists;
	bool if_replica_exists;
	bool force;
	bool dry_run;
	bool json;
	bool verbose;
	bool help;
	bool version;
};

/* 0, or -EINVAL after saying what is wrong. */
int restore_args_parse(int argc, char **argv, struct restore_args *args);

/* What -help prints, to stdout. */
void restore_args_help(void);

#endif
