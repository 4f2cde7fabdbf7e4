/* SPDX-License-Identifier: MIT */

/*
 * lsvfs replicate: a process that replicates databases whose programs do not
 * have us.
 */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/ship/config_path.h"
#include "tools/child.h"
#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/exits.h"
#include "tools/option.h"
#include "tools/watch.h"
#include "vfs/conf_cache.h"
#include "vfs/configure.h"
#include "vfs/logging.h"
#include "vfs/lsvfs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

static const char usage[] =
	"usage: lsvfs replicate [OPTION]... [DB [URL]...]\n"
	"\n"
	"Replicates a database whose programs do not have lsvfs in them, or\n"
	"all those that the configuration file names, until it is ended by\n"
	"SIGTERM or SIGINT, or COMMAND ends.\n"
	"\n"
	"  -config F        the configuration file, which then comes before\n"
	"                   $LSVFS_REPLICA_URL\n"
	"  -no-expand-env   leave $NAME in it as it is\n"
	"  -exec COMMAND    start COMMAND, pass signals on to it, and end with it\n"
	"  -help            print this\n"
	"\n"
	"Exit status: 0 everything is on the replicas; 1 it is not; 2 usage;\n"
	"with -exec that of COMMAND, if it is not 0.\n";

struct replicate_args {
	struct configuration configuration;
	const char *db;          /* NULL: all of the configuration file */
	const char *const *urls; /* replicas; none: as configured */
	size_t n_urls;
	const char *exec;
	bool help;
};

struct server {
	struct watch watch;
	struct child child;
	bool has_child;
	int signal_fd;
	bool is_over;
};

static int bad_usage(const char *why)
{
	fprintf(stderr, "error: %s\n%s", why, usage);
	return -EINVAL;
}

static int set_option(int c, struct replicate_args *args)
{
	if (configuration_option(c, optarg, &args->configuration))
		return 0;
	switch (c) {
	case 'x':
		args->exec = optarg;
		return 0;
	case 'h':
		args->help = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse(int argc, char **argv, struct replicate_args *args)
{
	static const struct option options[] = {
		CONFIGURATION_CONFIG,
		CONFIGURATION_NO_EXPAND_ENV,
		{"exec", required_argument, NULL, 'x'},
		OPTION_HELP,
		{0},
	};
	int c, r = 0;

	*args = (struct replicate_args){0};
	while (r == 0 && (c = option_next(argc, argv, options, NULL)) != -1)
		r = set_option(c, args);
	if (r < 0 || args->help)
		return r;
	if (optind == argc)
		return 0;
	args->db = argv[optind++];
	args->urls = (const char *const *)argv + optind;
	args->n_urls = (size_t)(argc - optind);
	if (args->n_urls > LSV_REPLICAS_MAX)
		return bad_usage("a database has at most 8 replicas");
	for (size_t i = 0; i < args->n_urls; i++)
		if (!*args->urls[i])
			return bad_usage("the URL is empty");
	return 0;
}

/* Before any thread is started, so that none of them takes a signal. */
static int take_signals(struct server *server, sigset_t *before)
{
	static const int signals[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
	                              SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaddset(&mask, signals[i]);
	pthread_sigmask(SIG_BLOCK, &mask, before);
	sigdelset(&mask, SIGPIPE);
	server->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return server->signal_fd < 0 ? log_error(-errno, "cannot take signals")
	                             : 0;
}

/* Signals are the child's, if there is one; we end when it does. */
static void take_signal(struct server *server, int signal_no)
{
	if (signal_no == SIGCHLD)
		server->is_over |= child_reap(&server->child);
	else if (server->has_child)
		child_signal(&server->child, signal_no);
	else if (signal_no == SIGTERM || signal_no == SIGINT ||
	         signal_no == SIGHUP || signal_no == SIGQUIT)
		server->is_over = true;
}

static void read_signals(struct server *server)
{
	struct signalfd_siginfo info;

	while (read(server->signal_fd, &info, sizeof info) ==
	       (ssize_t)sizeof info)
		take_signal(server, (int)info.ssi_signo);
}

static int timeout_ms(int64_t due_ns)
{
	int64_t left_ns;

	if (due_ns == INT64_MAX)
		return -1;
	left_ns = due_ns - lsv_clock_mono_ns();
	return left_ns <= 0 ? 0 : (int)(left_ns / LSV_NS_PER_MS) + 1;
}

static void serve(struct server *server)
{
	struct pollfd fds[] = {
		{.fd = server->signal_fd, .events = POLLIN},
		{.fd = server->watch.fd, .events = POLLIN},
	};

	while (!server->is_over) {
		int64_t now_ns = lsv_clock_mono_ns();
		bool is_near = watch_is_near(&server->watch, now_ns);

		poll(fds, is_near ? 1 : 2,
		     timeout_ms(watch_due(&server->watch)));
		read_signals(server);
		now_ns = lsv_clock_mono_ns();
		if (!is_near)
			watch_read(&server->watch, now_ns);
		watch_look(&server->watch, now_ns);
	}
}

/* All of the file's; its 'exec' counts where the command line has none. */
static int add_all(struct server *server, struct replicate_args *args,
                   const struct lsv_config_file *file)
{
	int r;

	if (!file)
		return bad_usage("which database? name one, or a "
		                 "configuration file (-config, "
		                 "lsvfs.yml(5))");
	if (!args->exec)
		args->exec = file->exec;
	r = watch_add_all(&server->watch, file);
	if (r == 0 && server->watch.list.n == 0 &&
	    server->watch.folders.list.n == 0)
		return log_error(0, "%s names no database", file->path),
		       -ENOENT;
	return r;
}

/* What the command line says of the database's replicas. */
static int config_of(const struct replicate_args *args, const char *db_path,
                     struct lsv_config *config)
{
	int r = 0;

	if (args->n_urls == 0)
		return configuration_find(&args->configuration, db_path,
		                          config);
	lsv_config_init(config);
	for (size_t i = 0; r == 0 && i < args->n_urls; i++) {
		struct lsv_replica_config replica;

		lsv_replica_config_init(&replica);
		r = lsv_replica_config_set(&replica, "url", args->urls[i]);
		if (r == 0)
			r = lsv_config_add(config, &replica);
		if (r < 0)
			lsv_replica_config_free(&replica);
	}
	if (r == 0)
		r = lsv_config_expand_all(config, db_path);
	if (r < 0)
		lsv_config_free(config);
	return r;
}

/* Not one that nobody would ever replicate. */
static int add_one(struct server *server, const struct replicate_args *args)
{
	auto_free char *absolute = lsv_path_expand(args->db);
	auto_free char *real = absolute ? lsv_path_real(absolute) : NULL;
	const char *db_path = real ? real : args->db;
	struct lsv_config config;
	int r = config_of(args, db_path, &config);

	if (r == -ENOENT)
		return bad_usage("where to? give a URL, set LSVFS_REPLICA_URL, "
		                 "or name the database in a configuration "
		                 "file (lsvfs.yml(5))");
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < config.n_replicas; i++)
		r = lsv_replica_config_check(&config.replicas[i], db_path);
	lsv_config_free(&config);
	return r < 0 ? r : watch_add(&server->watch, args->db);
}

static int run(struct server *server, struct replicate_args *args,
               const struct lsv_config_file *file, const sigset_t *mask)
{
	int r = watch_open(&server->watch);

	if (r == 0)
		r = args->db ? add_one(server, args)
		             : add_all(server, args, file);
	if (r == 0 && args->exec)
		r = child_start(&server->child, args->exec, mask);
	if (r < 0)
		return r;
	server->has_child = args->exec != NULL;
	serve(server);
	return watch_flush(&server->watch);
}

/* A server's log goes where the file says, in its form; what goes to stderr as
 * text has that of the tools. */
static void use_logging(const struct lsv_logging *logging)
{
	if (logging->file || logging->is_syslog || logging->is_json) {
		lsv_log_set_sink(NULL, NULL);
		lsv_logging_apply(logging);
	}
	if (logging->has_level && !getenv("LSVFS_LOG"))
		lsv_log_set_level(logging->level);
}

/* What -config names comes before the environment. */
static int use_configuration(const struct configuration *which,
                             struct lsv_config_file **file)
{
	int r = configuration_read(which, file);

	if (r < 0)
		return r;
	if (which->path)
		unsetenv("LSVFS_REPLICA_URL");
	if (*file)
		use_logging(&(*file)->logging);
	if (*file && (which->path || which->no_expand_env))
		lsv_conf_cache_set((*file)->path, !which->no_expand_env);
	return 0;
}

static enum exits replicate(struct replicate_args *args, struct server *server)
{
	struct lsvfs_options options = {
		.size = sizeof options,
		.replica = args->n_urls > 0 ? args->urls[0] : NULL};
	auto_configuration struct lsv_config_file *file = NULL;
	sigset_t mask;
	int r = use_configuration(&args->configuration, &file);

	if (r == 0)
		r = take_signals(server, &mask);
	if (r == 0 && args->n_urls > 1)
		r = lsv_configure_more(args->urls + 1, args->n_urls - 1);
	if (r == 0 && lsvfs_register(&options) != 0)
		r = -EINVAL;
	if (r == 0)
		r = run(server, args, file, &mask);
	if (r == 0)
		return EXITS_DONE;
	return r == -EINVAL ? EXITS_USAGE : EXITS_FAILED;
}

int cmd_replicate(int argc, char **argv)
{
	struct server server = {.watch = {.fd = -1}, .signal_fd = -1};
	struct replicate_args args;
	enum exits status;

	if (parse(argc, argv, &args) < 0)
		return EXITS_USAGE;
	if (args.help)
		return fputs(usage, stdout) < 0 ? EXITS_FAILED : EXITS_DONE;
	/* Who starts a server wants to know what it does. */
	if (!getenv("LSVFS_LOG"))
		lsv_log_set_level(LSV_LOG_INFO);
	status = replicate(&args, &server);
	watch_close(&server.watch);
	return server.child.status ? server.child.status : (int)status;
}
