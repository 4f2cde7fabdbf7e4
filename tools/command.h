/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_COMMAND_H
#define LSVFS_COMMAND_H

/* The commands of lsvfs(1): argv[0] is the command's own name; each returns
 * the exit status (exits.h). */

typedef int command_fn(int argc, char **argv);

struct command {
	const char *name;
	const char *purpose;
	command_fn *run;
};

command_fn cmd_config, cmd_databases, cmd_generations, cmd_replicate,
	cmd_restore, cmd_snapshots, cmd_status, cmd_sync, cmd_version, cmd_wal;

/* For a command without arguments: argv[1] is one too many; EXITS_USAGE. */
int command_takes_nothing(char **argv);

#endif
