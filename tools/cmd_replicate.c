/* SPDX-License-Identifier: MIT */

/*
 * lsvfs replicate: a process that replicates databases whose programs do not
 * have us.
 */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "tools/child.h"
#include "tools/command.h"
#include "tools/exits.h"
#include "tools/watch.h"
#include "vfs/lsvfs.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

static const char usage[] =
	"usage: lsvfs replicate [-exec COMMAND] DB [URL]\n"
	"\n"
	"Replicates a database whose programs do not have lsvfs in them,\n"
	"until it is ended by SIGTERM or SIGINT, or COMMAND ends.\n"
	"\n"
	"  -exec COMMAND  start COMMAND, pass signals on to it, and end with it\n"
	"  -help          print this\n"
	"\n"
	"Exit status: 0 everything is on the replica; 1 it is not; 2 usage;\n"
	"with -exec that of COMMAND, if it is not 0.\n";

struct replicate_args {
	const char *db;
	const char *url; /* NULL: $LSVFS_REPLICA_URL */
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

static int parse(int argc, char **argv, struct replicate_args *args)
{
	static const struct option options[] = {
		{"exec", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	*args = (struct replicate_args){0};
	while ((c = getopt_long_only(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'e')
			args->exec = optarg;
		else if (c == 'h')
			args->help = true;
		else
			return bad_usage("no such option, or no value");
	}
	if (args->help)
		return 0;
	if (optind == argc)
		return bad_usage("a database is needed");
	if (optind + 2 < argc)
		return bad_usage("one database and one URL, not more");
	args->db = argv[optind];
	args->url = argv[optind + 1];
	if (!args->url && !getenv("LSVFS_REPLICA_URL"))
		return bad_usage("where to? give a URL, or set "
		                 "LSVFS_REPLICA_URL");
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

static int run(struct server *server, const struct replicate_args *args,
               const sigset_t *mask)
{
	int r = watch_open(&server->watch);

	if (r == 0)
		r = watch_add(&server->watch, args->db);
	if (r == 0 && args->exec)
		r = child_start(&server->child, args->exec, mask);
	if (r < 0)
		return r;
	server->has_child = args->exec != NULL;
	serve(server);
	return watch_flush(&server->watch);
}

static int replicate(const struct replicate_args *args)
{
	struct lsvfs_options options = {.size = sizeof options,
	                                .replica = args->url};
	struct server server = {.watch = {.fd = -1}, .signal_fd = -1};
	sigset_t mask;
	int r = take_signals(&server, &mask);

	/* Who starts a server wants to know what it does. */
	if (!getenv("LSVFS_LOG"))
		lsv_log_set_level(LSV_LOG_INFO);
	if (r == 0 && lsvfs_register(&options) != 0)
		return EXITS_USAGE;
	if (r == 0)
		r = run(&server, args, &mask);
	watch_close(&server.watch);
	if (server.child.status)
		return server.child.status;
	return r < 0 ? EXITS_FAILED : EXITS_DONE;
}

int cmd_replicate(int argc, char **argv)
{
	struct replicate_args args;

	if (parse(argc, argv, &args) < 0)
		return EXITS_USAGE;
	if (args.help)
		return fputs(usage, stdout) < 0 ? EXITS_FAILED : EXITS_DONE;
	return replicate(&args);
}
