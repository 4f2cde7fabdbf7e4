/* SPDX-License-Identifier: MIT */

/* The steps of a workload, and how often each is drawn. */

#include "test/crash/errand.h"
#include "test/crash/workload.h"

#include <unistd.h>

#define MAX_DB_BYTES (1 << 20)

static int random_table(struct workload *w)
{
	int t = (int)dice_below(&w->dice, WORKLOAD_TABLES);

	return w->has_table[t] ? t : 0;
}

/* Several rows; false: busy. */
static bool insert_rows(struct workload *w, int i, uint32_t n)
{
	while (n-- > 0) {
		if (!workload_insert(w, i, random_table(w),
		                     workload_blob_size(w)))
			return false;
	}
	return true;
}

static bool change_rows(struct workload *w, int i)
{
	int t = random_table(w);
	unsigned from = dice_below(&w->dice, 900);

	if (dice_percent(&w->dice, 60))
		return workload_run(w, i,
		                    "UPDATE t%d SET n=n+1, body=zeroblob(%u) "
		                    "WHERE n BETWEEN %u AND %u",
		                    t, workload_blob_size(w), from,
		                    from + dice_below(&w->dice, 100));
	return workload_run(w, i, "DELETE FROM t%d WHERE n BETWEEN %u AND %u",
	                    t, from, from + dice_below(&w->dice, 200));
}

static void roll_back(struct workload *w, int i)
{
	if (!sqlite3_get_autocommit(w->db[i]))
		workload_run(w, i, "ROLLBACK");
}

/* A transaction: begin, work, then COMMIT or not. */
static void transact(struct workload *w, uint32_t n_rows, uint32_t n_changes,
                     bool keep)
{
	int i = workload_writer(w);
	bool done = workload_run(w, i, "BEGIN IMMEDIATE") &&
	            insert_rows(w, i, n_rows);

	while (done && n_changes-- > 0)
		done = change_rows(w, i);
	if (!done || !keep || !workload_commit(w, i, "COMMIT"))
		roll_back(w, i);
}

static void step_small(struct workload *w)
{
	transact(w, 1 + dice_below(&w->dice, 2), dice_below(&w->dice, 2), true);
}

static void step_change(struct workload *w)
{
	transact(w, 0, 1 + dice_below(&w->dice, 2), true);
}

/* Larger than the page cache: pages are spilled, and some written again. */
static void step_spill(struct workload *w)
{
	int i = workload_writer(w);

	workload_run(w, i, "PRAGMA cache_size=5");
	transact(w, 10 + dice_below(&w->dice, 30), 3,
	         dice_percent(&w->dice, 75));
}

static void step_roll_back(struct workload *w)
{
	transact(w, 1 + dice_below(&w->dice, 8), 1, false);
}

static bool nest(struct workload *w, int i)
{
	bool done = workload_run(w, i, "SAVEPOINT s") &&
	            insert_rows(w, i, dice_below(&w->dice, 12)) &&
	            change_rows(w, i);

	if (done && dice_percent(&w->dice, 60))
		done = workload_run(w, i, "ROLLBACK TO s");
	return done && workload_run(w, i, "RELEASE s");
}

static void step_savepoint(struct workload *w)
{
	int i = workload_writer(w);
	bool done = workload_run(w, i, "BEGIN IMMEDIATE") &&
	            insert_rows(w, i, dice_below(&w->dice, 3));

	for (uint32_t n = 1 + dice_below(&w->dice, 3); done && n > 0; n--)
		done = nest(w, i);
	if (!done || !workload_commit(w, i, "COMMIT"))
		roll_back(w, i);
}

static void step_schema(struct workload *w)
{
	int t = 1 + (int)dice_below(&w->dice, WORKLOAD_TABLES - 1);
	int i = workload_writer(w);

	if (!w->has_table[t]) {
		w->has_table[t] = workload_commit(
			w, i,
			"CREATE TABLE t%d(id INTEGER PRIMARY KEY, n, "
			"body)",
			t);
		return;
	}
	switch (dice_below(&w->dice, 4)) {
	case 0:
		if (workload_commit(w, i, "DROP TABLE t%d", t))
			w->has_table[t] = false;
		break;
	case 1:
		workload_commit(
			w, i, "CREATE INDEX IF NOT EXISTS i%d ON t%d(n)", t, t);
		break;
	case 2:
		workload_commit(w, i, "DROP INDEX IF EXISTS i%d", t);
		break;
	default:
		workload_commit(w, i, "ALTER TABLE t%d ADD COLUMN c%u", t,
		                w->n_images);
		break;
	}
}

static void step_vacuum(struct workload *w)
{
	int i = workload_writer(w);

	if (dice_percent(&w->dice, 40))
		workload_commit(w, i, "VACUUM");
	else
		workload_commit(w, i, "PRAGMA incremental_vacuum(%u)",
		                1 + dice_below(&w->dice, 20));
}

static void step_checkpoint(struct workload *w)
{
	static const char *const modes[] = {"PASSIVE", "FULL", "RESTART",
	                                    "TRUNCATE"};

	workload_run(w, workload_writer(w), "PRAGMA wal_checkpoint(%s)",
	             modes[dice_below(&w->dice, 4)]);
}

static void step_pragma(struct workload *w)
{
	static const char *const syncs[] = {"OFF", "NORMAL", "FULL"};
	static const int checkpoints[] = {0, 5, 50, 1000};
	int i = workload_writer(w);

	switch (dice_below(&w->dice, 5)) {
	case 0:
		workload_run(w, i, "PRAGMA synchronous=%s",
		             syncs[dice_below(&w->dice, 3)]);
		break;
	case 1:
		workload_run(w, i, "PRAGMA wal_autocheckpoint=%d",
		             checkpoints[dice_below(&w->dice, 4)]);
		break;
	case 2:
		workload_run(w, i, "PRAGMA cache_size=%d",
		             dice_percent(&w->dice, 50) ? 5 : 500);
		break;
	case 3:
		workload_run(w, i, "PRAGMA journal_size_limit=%d",
		             dice_percent(&w->dice, 50) ? 0 : 65536);
		break;
	default:
		workload_commit(w, i, "PRAGMA user_version=%u", w->n_images);
		break;
	}
}

/* A connection begins or ends a long read. */
static void step_reader(struct workload *w)
{
	int i = (int)dice_below(&w->dice, WORKLOAD_CONNECTIONS);

	if (w->is_exclusive)
		return;
	if (!w->db[i]) {
		workload_open(w, i);
		return;
	}
	if (w->is_reading[i]) {
		workload_run(w, i, "COMMIT");
		w->is_reading[i] = false;
	} else if (workload_run(w, i, "BEGIN; SELECT count(*) FROM t0")) {
		w->is_reading[i] = true;
	} else {
		roll_back(w, i);
	}
}

static void step_close(struct workload *w)
{
	int i = 1 + (int)dice_below(&w->dice, WORKLOAD_CONNECTIONS - 1);

	/* Behind frames without a checksum whoever opens next would lose
	 * commits, were the close not the last one. */
	if (dice_percent(&w->dice, 50) || (w->beside && w->has_zero_frames)) {
		workload_close(w, i);
		return;
	}
	for (i = WORKLOAD_CONNECTIONS - 1; i >= 0; i--)
		workload_close(w, i);
	w->is_exclusive = false;
	workload_open(w, 0);
}

/* Alone: from the start (no shm at all), or set later. */
static void step_exclusive(struct workload *w)
{
	if (w->beside)
		return; /* nobody is alone then */
	workload_close_others(w);
	if (w->is_reading[0])
		workload_run(w, 0, "COMMIT");
	w->is_reading[0] = false;
	w->is_exclusive = !w->is_exclusive;
	/* What was exclusive from the start stays so until it is closed. */
	if (!w->is_exclusive || dice_percent(&w->dice, 50)) {
		workload_close(w, 0);
		workload_open(w, 0);
	}
	if (w->is_exclusive)
		workload_run(w, 0,
		             "PRAGMA locking_mode=EXCLUSIVE; "
		             "SELECT count(*) FROM t0");
}

static void step_sync(struct workload *w)
{
	workload_sync(w);
	if (dice_percent(&w->dice, 30))
		ledger_glance(&w->ledger);
}

static void step_pause(struct workload *w)
{
	usleep(dice_below(&w->dice, 60000));
}

static const struct {
	void (*run)(struct workload *w);
	uint32_t weight;
	const char *name;
} steps[] = {
	{step_small, 30, "small"},        {step_change, 14, "change"},
	{step_spill, 6, "spill"},         {step_roll_back, 6, "roll back"},
	{step_savepoint, 8, "savepoint"}, {step_schema, 8, "schema"},
	{step_vacuum, 3, "vacuum"},       {step_checkpoint, 5, "checkpoint"},
	{step_pragma, 6, "pragma"},       {step_reader, 6, "reader"},
	{step_close, 3, "close"},         {step_exclusive, 2, "exclusive"},
	{step_sync, 3, "sync"},           {step_pause, 2, "pause"},
};

/* Nobody reads for ever. */
static void end_readers(struct workload *w)
{
	for (int i = 0; i < WORKLOAD_CONNECTIONS; i++) {
		if (w->is_reading[i])
			workload_run(w, i, "COMMIT");
		w->is_reading[i] = false;
	}
}

static void shrink(struct workload *w)
{
	int64_t max_pages = MAX_DB_BYTES / w->page_size + 40;
	int i = workload_writer(w);

	if (workload_number(w, i, "PRAGMA page_count") < max_pages)
		return;
	end_readers(w);
	for (int t = 0; t < WORKLOAD_TABLES; t++) {
		if (w->has_table[t])
			workload_commit(w, i, "DELETE FROM t%d WHERE id %% 5",
			                t);
	}
	workload_commit(w, i, "VACUUM");
}

void workload_step(struct workload *w)
{
	uint32_t total = 0, drawn;

	if (w->likes_exclusive && !w->is_exclusive &&
	    dice_percent(&w->dice, 30))
		step_exclusive(w);
	if (w->beside && dice_percent(&w->dice, 10))
		beside_meddle(w->beside, &w->dice);
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
		total += steps[k].weight;
	drawn = dice_below(&w->dice, total);
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
		if (drawn < steps[k].weight) {
			workload_say(w, "%s", steps[k].name);
			steps[k].run(w);
			break;
		}
		drawn -= steps[k].weight;
	}
	shrink(w);
}
