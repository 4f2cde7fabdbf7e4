/* SPDX-License-Identifier: MIT */
#include "vfs/status_table.h"

#include "replica/base/clock.h"
#include "vfs/ask.h"

#include <string.h>

#define NAME "lsvfs_status"

enum column {
	SCHEMA,
	REPLICA,
	URL,
	STATE,
	POSITION,
	TXID,
	TIME,
	LAG,
	SINCE,
	ERROR
};

static const char declaration[] =
	"CREATE TABLE " NAME " (schema TEXT, replica TEXT, url TEXT, "
	"state TEXT, position TEXT, txid INTEGER, time TEXT, lag_ms INTEGER, "
	"failing_since TEXT, error TEXT)";

struct status_table {
	sqlite3_vtab base;
	sqlite3 *app;
};

/* A replica of one of the connection's databases; a database of which no
 * replica is known yet has one row. */
struct status_cursor {
	sqlite3_vtab_cursor base;
	int schema;
	size_t row;
	struct lsv_status status; /* of that schema */
};

static struct status_cursor *cursor_of(sqlite3_vtab_cursor *base)
{
	return (struct status_cursor *)base;
}

static sqlite3 *app_of(const struct status_cursor *cursor)
{
	return ((struct status_table *)cursor->base.pVtab)->app;
}

/* NULL: not replicated, or there is no such schema. */
static struct lsv_db *db_of(sqlite3 *app, const char *schema)
{
	struct lsv_db *db = NULL;

	/* By what reaches us below another VFS, too. */
	if (sqlite3_file_control(app, schema, LSV_FCNTL_DB, &db) != SQLITE_OK)
		return NULL;
	return db;
}

static size_t n_rows(const struct lsv_status *status)
{
	return status->n_replicas ? status->n_replicas : 1;
}

/* The first row of the first replicated schema from this one on. */
static void find_schema(struct status_cursor *cursor)
{
	sqlite3 *app = app_of(cursor);
	const char *schema;
	struct lsv_db *db;

	cursor->row = 0;
	for (; (schema = sqlite3_db_name(app, cursor->schema));
	     cursor->schema++) {
		db = db_of(app, schema);
		if (!db)
			continue;
		lsv_ask_status_of(db, &cursor->status);
		return;
	}
}

static int table_connect(sqlite3 *app, void *arg, int argc,
                         const char *const *argv, sqlite3_vtab **out,
                         char **error)
{
	struct status_table *table;
	int rc = sqlite3_declare_vtab(app, declaration);

	(void)arg, (void)argc, (void)argv, (void)error;
	if (rc != SQLITE_OK)
		return rc;
	table = calloc(1, sizeof *table);
	if (!table)
		return SQLITE_NOMEM;
	table->app = app;
	*out = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* There is one plan: all rows. */
static int table_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = LSV_REPLICAS_MAX;
	info->estimatedRows = LSV_REPLICAS_MAX;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct status_cursor *cursor = calloc(1, sizeof *cursor);

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*out = &cursor->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *text,
                         int argc, sqlite3_value **argv)
{
	(void)plan, (void)text, (void)argc, (void)argv;
	cursor_of(base)->schema = 0;
	find_schema(cursor_of(base));
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	struct status_cursor *cursor = cursor_of(base);

	if (++cursor->row < n_rows(&cursor->status))
		return SQLITE_OK;
	cursor->schema++;
	find_schema(cursor);
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	struct status_cursor *cursor = cursor_of(base);

	return !sqlite3_db_name(app_of(cursor), cursor->schema);
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = (sqlite3_int64)cursor_of(base)->schema * LSV_REPLICAS_MAX +
	         (sqlite3_int64)cursor_of(base)->row;
	return SQLITE_OK;
}

/* What is not known, or not so, is NULL. */
static void result_text(sqlite3_context *out, const char *text)
{
	if (text && *text)
		sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

static void result_time(sqlite3_context *out, int64_t ns)
{
	char text[LSV_TIME_TEXT_SIZE];

	lsv_time_format(ns, text);
	result_text(out, ns ? text : NULL);
}

static void result_position(sqlite3_context *out, const struct lsv_pos *pos)
{
	char text[LSV_POS_TEXT_SIZE];

	lsv_pos_format(pos, text);
	result_text(out, pos->generation ? text : NULL);
}

static void result_replica(sqlite3_context *out, enum column column,
                           const struct lsv_replica_status *replica)
{
	switch (column) {
	case REPLICA:
		result_text(out, replica->name);
		break;
	case URL:
		result_text(out, replica->url);
		break;
	case STATE:
		result_text(out, lsv_health_text(replica->health));
		break;
	case POSITION:
		result_position(out, &replica->shipped);
		break;
	case TXID:
		sqlite3_result_int64(out, (sqlite3_int64)replica->shipped_txid);
		break;
	case TIME:
		result_time(out, replica->shipped_ns);
		break;
	case LAG:
		sqlite3_result_int64(out, replica->lag_ns / LSV_NS_PER_MS);
		break;
	case SINCE:
		result_time(out, replica->failing_ns);
		break;
	case ERROR:
		result_text(out, replica->error);
		break;
	case SCHEMA:
		break;
	}
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int n)
{
	const struct status_cursor *cursor = cursor_of(base);
	const struct lsv_status *status = &cursor->status;
	/* What is true of the database is of each of its replicas. */
	bool is_of_all = status->n_replicas == 0 ||
	                 status->health == LSV_HEALTH_NOT_WAL;

	if (n == SCHEMA)
		result_text(out,
		            sqlite3_db_name(app_of(cursor), cursor->schema));
	else if (n == STATE && is_of_all)
		result_text(out, lsv_health_text(status->health));
	else if (n == ERROR && is_of_all)
		result_text(out, status->error);
	else if (status->n_replicas > 0)
		result_replica(out, (enum column)n,
		               &status->replicas[cursor->row]);
	return SQLITE_OK;
}

/* No xCreate: it exists without CREATE VIRTUAL TABLE, and only so.  No xUpdate:
 * it is read only. */
static const sqlite3_module module = {
	.xConnect = table_connect,
	.xBestIndex = table_best_index,
	.xDisconnect = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_filter,
	.xNext = cursor_next,
	.xEof = cursor_eof,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

static int connection_opened(sqlite3 *app, char **error,
                             const sqlite3_api_routines *api)
{
	(void)error, (void)api;
	/* Not ours, whatever it is: nothing there is touched (I14). */
	if (!db_of(app, "main"))
		return SQLITE_OK;
	return sqlite3_create_module_v2(app, NAME, &module, NULL, NULL);
}

void lsv_status_table_offer(void)
{
	if (!sqlite3_api->create_module_v2 || !sqlite3_api->declare_vtab)
		return;
	/* What it is given twice it calls once. */
	sqlite3_auto_extension((void (*)(void))connection_opened);
}
