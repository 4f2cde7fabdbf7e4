/* SPDX-License-Identifier: MIT */

/* lsvfs(1): a table of commands. */

#include "tools/command.h"
#include "tools/exits.h"

#include <stdio.h>
#include <string.h>

static int run_help(int argc, char **argv);

static const struct command commands[] = {
	{"replicate", "replicate what programs without lsvfs write",
         cmd_replicate},
	{"sync", "wait until every commit is on the replica", cmd_sync},
	{"status", "is it replicating, how far behind, why not", cmd_status},
	{"restore", "get a database back (lsvfs-restore)", cmd_restore},
	{"databases", "list the databases of the configuration", cmd_databases},
	{"config", "check the configuration file", cmd_config},
	{"generations", "list the generations of a replica", cmd_generations},
	{"snapshots", "list the snapshots of a replica", cmd_snapshots},
	{"wal", "list the WAL segments of a replica", cmd_wal},
	{"version", "print the version", cmd_version},
	{"help", "print this, or the options of a command", run_help},
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_usage(FILE *out)
{
	fputs("usage: lsvfs COMMAND [OPTION]... [ARGUMENT]...\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-11s %s\n", commands[i].name,
		        commands[i].purpose);
	fputs("\nlsvfs COMMAND -help tells more.  To get a database back: "
	      "lsvfs-restore(1).\n",
	      out);
}

static const char *without_dashes(const char *word)
{
	for (int i = 0; i < 2 && *word == '-'; i++)
		word++;
	return word;
}

int command_takes_nothing(char **argv)
{
	fprintf(stderr,
	        "error: lsvfs %s takes no arguments, '%s' is one too many\n",
	        without_dashes(argv[0]), argv[1]);
	return EXITS_USAGE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Of a command its own; "version" and "help" have none. */
static int run_help(int argc, char **argv)
{
	static char option[] = "-help";
	char *words[] = {argv[1], option, NULL};
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	if (argc > 2)
		return command_takes_nothing(argv + 1);
	if (argc > 1 && !command) {
		fprintf(stderr, "error: no command '%s', see lsvfs help\n",
		        argv[1]);
		return EXITS_USAGE;
	}
	if (command && command->run != run_help && command->run != cmd_version)
		return command->run(2, words);
	print_usage(stdout);
	return EXITS_DONE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? without_dashes(argv[1]) : "";
	const struct command *command;

	tools_log_init();
	if (strcmp(name, "h") == 0)
		name = "help";
	command = find_command(name);
	if (command)
		return command->run(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "error: no command '%s'\n\n", argv[1]);
	print_usage(stderr);
	return EXITS_USAGE;
}
