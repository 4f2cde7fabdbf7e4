/* SPDX-License-Identifier: MIT */
#include "test/crash/workload.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "test/crash/errand.h"
#include "vfs/lsvfs.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH "app.db"
/* What takes longer hangs. */
#define SYNC_TIMEOUT_MS 60000
#define MAX_BLOB (1 << 20)

void workload_say(struct workload *w, const char *format, ...)
{
	va_list ap;

	if (!w->is_verbose)
		return;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool exec(struct workload *w, int i, const char *sql)
{
	char *error = NULL;
	int rc = sqlite3_exec(w->db[i], sql, NULL, NULL, &error);

	workload_say(w, "  %d: %.200s%s%s", i, sql, error ? ": " : "",
	             error ? error : "");
	if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
		die("%.200s: %s (%d)", sql, error,
		    sqlite3_extended_errcode(w->db[i]));
	sqlite3_free(error);
	return rc == SQLITE_OK;
}

bool workload_run(struct workload *w, int i, const char *format, ...)
{
	va_list ap;
	char *sql;
	bool done;

	va_start(ap, format);
	sql = sqlite3_vmprintf(format, ap);
	va_end(ap);
	if (!sql)
		die("out of memory");
	done = exec(w, i, sql);
	sqlite3_free(sql);
	return done;
}

/* The database as connection i sees it, page by page. */
static void write_live_image(struct workload *w, int i, const char *path)
{
	sqlite3_int64 size = 0;
	unsigned char *image = sqlite3_serialize(w->db[i], "main", &size, 0);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	                         0600);

	if (!image || fd < 0 || lsv_pwrite(fd, image, (size_t)size, 0) < 0)
		die("cannot write %s", path);
	sqlite3_free(image);
}

/* Who replicates from outside may reset the WAL at any moment, but not under a
 * reader, who keeps both files as they belong together. */
static enum testimony testify(struct workload *w, int i, unsigned no)
{
	bool pins = w->beside && !w->is_reading[i];
	enum testimony said;

	if (pins)
		workload_run(w, i, "BEGIN; SELECT 1 FROM sqlite_schema");
	said = bystander_record(&w->bystander, no);
	if (pins)
		workload_run(w, i, "COMMIT");
	return said;
}

/* Two witnesses: what SQLite recovers from the files, what it shows live. */
static void record(struct workload *w, int i)
{
	struct moment moment = {w->began_ns, lsv_clock_ns(), w->n_images++};
	const char *image = ledger_image(moment.image);
	enum testimony said = testify(w, i, moment.image);

	w->has_zero_frames = said == BYSTANDER_ZERO_FRAMES;
	if (said == BYSTANDER_NOTHING)
		die("a commit, but no database");
	if (said == BYSTANDER_ZERO_FRAMES) {
		w->n_zero_frames++;
		write_live_image(w, i, image);
	} else if (!w->is_reading[i]) {
		write_live_image(w, i, "live.db");
		if (!same_bytes("live.db", image))
			die("SQLite recovers from commit %u what it does not "
			    "show",
			    moment.image);
	}
	ledger_note(&w->ledger, moment);
	workload_say(w, "commit %zu is image %u", w->ledger.n, moment.image);
}

bool workload_commit(struct workload *w, int i, const char *format, ...)
{
	va_list ap;
	char *sql;
	bool done;

	va_start(ap, format);
	sql = sqlite3_vmprintf(format, ap);
	va_end(ap);
	if (!sql)
		die("out of memory");
	w->began_ns = lsv_clock_ns();
	done = exec(w, i, sql);
	sqlite3_free(sql);
	if (done)
		record(w, i);
	return done;
}

int64_t workload_number(struct workload *w, int i, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = 0;

	if (sqlite3_prepare_v2(w->db[i], sql, -1, &stmt, NULL) != SQLITE_OK)
		die("%s: %s", sql, sqlite3_errmsg(w->db[i]));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

int workload_writer(struct workload *w)
{
	int from = (int)dice_below(&w->dice, WORKLOAD_CONNECTIONS);

	for (int k = 0; k < WORKLOAD_CONNECTIONS; k++) {
		int i = (from + k) % WORKLOAD_CONNECTIONS;

		if (w->db[i] && !w->is_reading[i])
			return i;
	}
	workload_run(w, 0, "COMMIT");
	w->is_reading[0] = false;
	return 0;
}

uint32_t workload_blob_size(struct workload *w)
{
	uint32_t many = w->page_size > 8192 ? 4 : 12;
	uint32_t pages = dice_percent(&w->dice, 90) ? 2 : many;

	return dice_below(&w->dice, w->page_size * pages) + 1;
}

bool workload_insert(struct workload *w, int i, int table, uint32_t size)
{
	auto_free uint64_t *body = malloc(MAX_BLOB + sizeof *body);
	char sql[80];
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (!body)
		die("out of memory");
	if (size > MAX_BLOB)
		die("a blob of %u bytes", size);
	for (size_t k = 0; k <= size / sizeof *body; k++)
		body[k] = dice_roll(&w->dice);
	snprintf(sql, sizeof sql, "INSERT INTO t%d(n, body) VALUES(?, ?)",
	         table);
	if (sqlite3_prepare_v2(w->db[i], sql, -1, &stmt, NULL) != SQLITE_OK)
		die("%s: %s", sql, sqlite3_errmsg(w->db[i]));
	sqlite3_bind_int(stmt, 1, (int)dice_below(&w->dice, 1000));
	sqlite3_bind_blob(stmt, 2, body, (int)size, SQLITE_STATIC);
	sqlite3_step(stmt);
	rc = sqlite3_finalize(stmt);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		die("%s: %s", sql, sqlite3_errmsg(w->db[i]));
	return rc == SQLITE_OK;
}

void workload_open(struct workload *w, int i)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	if (sqlite3_open_v2(PATH, &w->db[i], flags,
	                    w->beside ? "unix" : "litestream") != SQLITE_OK)
		die("cannot open " PATH ": %s", sqlite3_errmsg(w->db[i]));
	sqlite3_busy_timeout(w->db[i], 200);
	w->is_reading[i] = false;
	if (dice_percent(&w->dice, 30))
		workload_run(w, i, "PRAGMA cache_size=5");
	if (dice_percent(&w->dice, 20))
		workload_run(w, i, "PRAGMA wal_autocheckpoint=%u",
		             dice_below(&w->dice, 2) * 20);
}

void workload_close(struct workload *w, int i)
{
	workload_say(w, "close %d", i);
	if (w->db[i] && sqlite3_close(w->db[i]) != SQLITE_OK)
		die("cannot close: %s", sqlite3_errmsg(w->db[i]));
	w->db[i] = NULL;
	w->is_reading[i] = false;
}

void workload_close_others(struct workload *w)
{
	for (int i = 1; i < WORKLOAD_CONNECTIONS; i++)
		workload_close(w, i);
}

/* A leader that stands still with everything shipped answers nobody, and is not
 * robbed. */
static void sync_outside(struct workload *w)
{
	int status;

	beside_continue(w->beside);
	status = errand_sync(PATH, getenv("LSVFS_REPLICA_URL"));
	workload_say(w, "lsvfs sync: %d", status);
	if (status != 0)
		die("lsvfs sync: exit %d: %s", status, errand_errors());
}

static void sync_inside(struct workload *w)
{
	int rc = lsvfs_sync(PATH, SYNC_TIMEOUT_MS);

	workload_say(w, "sync: %d", rc);
	if (rc != SQLITE_OK) {
		char *status = lsvfs_status(PATH);

		die("lsvfs_sync: %d, %s", rc, status ? status : "no status");
	}
}

void workload_sync(struct workload *w)
{
	if (w->beside)
		sync_outside(w);
	else
		sync_inside(w);
}

void workload_begin(struct workload *w)
{
	static const char *const vacuums[] = {"NONE", "FULL", "INCREMENTAL"};
	uint32_t drawn = 512U << dice_below(&w->dice, 8);

	if (w->page_size == 0)
		w->page_size = drawn;
	workload_open(w, 0);
	workload_run(w, 0, "PRAGMA page_size=%u", w->page_size);
	workload_run(w, 0, "PRAGMA auto_vacuum=%s",
	             vacuums[dice_below(&w->dice, 3)]);
	workload_run(w, 0, "PRAGMA journal_mode=WAL");
	workload_commit(w, 0,
	                "CREATE TABLE t0(id INTEGER PRIMARY KEY, n INTEGER, "
	                "body BLOB)");
	w->has_table[0] = true;
}

/* What it answers to SIGTERM is as good as a sync. */
static void end_outside(struct workload *w)
{
	int status;

	beside_begin(w->beside);
	status = beside_end(w->beside);
	if (status != 0)
		die("lsvfs replicate: exit %d: see replicate.log", status);
}

void workload_end(struct workload *w)
{
	if (!w->beside || dice_percent(&w->dice, 50))
		workload_sync(w);
	if (w->beside)
		end_outside(w);
	for (int i = WORKLOAD_CONNECTIONS - 1; i >= 0; i--)
		workload_close(w, i);
}
