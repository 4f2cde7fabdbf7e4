/* SPDX-License-Identifier: MIT */
#include "test/crash/victim.h"

#include "test/crash/chain.h"
#include "test/crash/dice.h"
#include "test/crash/errand.h"
#include "vfs/lsvfs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct victim {
	struct dice dice;
	struct acknowledged *acknowledged;
	sqlite3 *db;
	int n_left; /* of a forked child's commits; <0: for ever */
};

static volatile sig_atomic_t is_asked_to_end;

static void end_soon(int signal)
{
	(void)signal;
	is_asked_to_end = 1;
}

static int exec(struct victim *v, const char *sql)
{
	return sqlite3_exec(v->db, sql, NULL, NULL, NULL);
}

static bool is_passing(int rc)
{
	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
}

static void complain(struct victim *v, const char *what, int rc)
{
	fprintf(stderr, "victim %d: %s: %d (%d), %s\n", (int)getpid(), what, rc,
	        sqlite3_extended_errcode(v->db), sqlite3_errmsg(v->db));
	atomic_fetch_add(&v->acknowledged->n_failed, 1);
}

static void set_up(struct victim *v)
{
	static const char *const pragmas[] = {
		"PRAGMA synchronous=NORMAL",
		"PRAGMA synchronous=FULL",
		"PRAGMA synchronous=OFF; PRAGMA cache_size=5",
		"PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0",
		"PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=20",
	};

	if (sqlite3_open("app.db", &v->db) != SQLITE_OK)
		die("cannot open app.db: %s", sqlite3_errmsg(v->db));
	sqlite3_busy_timeout(v->db, 10000);
	exec(v, pragmas[dice_below(&v->dice, 5)]);
}

static void acknowledge(struct acknowledged *acknowledged, int64_t n)
{
	int64_t seen = atomic_load(&acknowledged->n);

	while (seen < n &&
	       !atomic_compare_exchange_weak(&acknowledged->n, &seen, n))
		;
}

static void commit(struct victim *v)
{
	int64_t n = 0;
	int rc = exec(v, "BEGIN IMMEDIATE");

	if (rc == SQLITE_OK)
		rc = chain_add(v->db, &n);
	if (rc == SQLITE_OK && dice_percent(&v->dice, 5)) {
		exec(v, "ROLLBACK");
		return;
	}
	if (rc == SQLITE_OK)
		rc = exec(v, "COMMIT");
	if (rc == SQLITE_OK)
		acknowledge(v->acknowledged, n);
	else if (!is_passing(rc))
		complain(v, "commit", rc);
	if (!sqlite3_get_autocommit(v->db))
		exec(v, "ROLLBACK");
}

static void checkpoint(struct victim *v)
{
	static const char *const sql[] = {
		"PRAGMA wal_checkpoint(PASSIVE)",
		"PRAGMA wal_checkpoint(FULL)",
		"PRAGMA wal_checkpoint(RESTART)",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	};
	int rc = exec(v, sql[dice_below(&v->dice, 4)]);

	if (rc != SQLITE_OK && !is_passing(rc))
		complain(v, "checkpoint", rc);
}

static void reopen(struct victim *v)
{
	int rc = sqlite3_close(v->db);

	if (rc != SQLITE_OK)
		complain(v, "close", rc);
	set_up(v);
}

static void live(struct victim *v);

/* How a forked child ends: in one of the ways in which processes end. */
static _Noreturn void end_child(struct victim *v)
{
	if (dice_percent(&v->dice, 50))
		_exit(0);
	if (dice_percent(&v->dice, 50))
		sqlite3_close(v->db);
	exit(0);
}

/* With no connection open across it: SQLite's own locks do not survive a
 * fork.  Parent and child then open the database anew. */
static void fork_child(struct victim *v)
{
	pid_t pid;

	if (sqlite3_close(v->db) != SQLITE_OK)
		complain(v, "close", SQLITE_BUSY);
	pid = fork();
	if (pid == 0) {
		v->dice.state ^= (uint64_t)getpid();
		v->n_left = (int)dice_below(&v->dice, 30);
		if (v->n_left < 3)
			_exit(0);
		set_up(v);
		live(v);
		end_child(v);
	}
	set_up(v);
}

static void live(struct victim *v)
{
	while (!is_asked_to_end && v->n_left != 0) {
		uint32_t drawn = dice_below(&v->dice, 1000);

		if (v->n_left > 0)
			v->n_left--;
		if (drawn < 950)
			commit(v);
		else if (drawn < 965)
			checkpoint(v);
		else if (drawn < 975)
			reopen(v);
		else if (drawn < 985 && v->n_left < 0)
			fork_child(v);
		else
			usleep(dice_below(&v->dice, 20000));
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static _Noreturn void run(uint64_t seed, bool is_bare,
                          struct acknowledged *acknowledged)
{
	static const struct lsvfs_options options = {
		.size = sizeof options,
		.make_default = 1,
	};
	struct victim v = {{seed}, acknowledged, NULL, -1};

	signal(SIGTERM, end_soon);
	if (!is_bare && lsvfs_register(&options) != SQLITE_OK)
		die("lsvfs_register");
	set_up(&v);
	while (!is_asked_to_end &&
	       exec(&v, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE;" CHAIN_SCHEMA
	                ";COMMIT") != SQLITE_OK) {
		if (!sqlite3_get_autocommit(v.db))
			exec(&v, "ROLLBACK");
		usleep(1000);
	}
	live(&v);
	if (dice_percent(&v.dice, 50))
		sqlite3_close(v.db);
	exit(0);
}

/* What is said is written at once: nobody lives to flush it. */
static void keep_log(void)
{
	int fd = open("victims.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	              0600);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		die("victims.log: %s", strerror(errno));
	close(fd);
	setvbuf(stderr, NULL, _IONBF, 0);
}

pid_t victim_begin(uint64_t seed, bool is_bare,
                   struct acknowledged *acknowledged)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		/* It commits until it is killed, also when the harness fails.
		 */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		keep_log();
		run(seed, is_bare, acknowledged);
	}
	setpgid(pid, pid);
	return pid;
}
