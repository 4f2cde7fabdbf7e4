/* SPDX-License-Identifier: MIT */

/*
 * The oracle: a shadow made of what SQLite wrote, laid as -wal beside a copy
 * of the database, is recovered by SQLite to the same bytes as its own WAL,
 * at every commit.
 */

#include "replica/base/cleanup.h"
#include "replica/spool/shadow.h"
#include "test/lib/live.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#define GENERATION UINT64_C(0xfedcba9876543210)
#define INDEX 0x7fffffff

/* ---- A workload ---- */

static void spill_and_roll_back(sqlite3 *db)
{
	live_exec(db, "PRAGMA cache_size=5; BEGIN;"
	              "INSERT INTO t(body) SELECT randomblob(900) FROM"
	              " (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	              "  SELECT i+1 FROM n WHERE i<60) SELECT i FROM n);"
	              "ROLLBACK");
}

static void spill_and_commit(sqlite3 *db)
{
	live_exec(db, "PRAGMA cache_size=5; BEGIN;"
	              "UPDATE t SET body=randomblob(700) WHERE id%2;"
	              "INSERT INTO t(body) SELECT body FROM t LIMIT 40;"
	              "UPDATE t SET body=randomblob(300) WHERE id%3=0;"
	              "COMMIT");
}

static void work(sqlite3 *db)
{
	live_insert(db, 7);
	spill_and_roll_back(db);
	spill_and_commit(db);
	live_exec(db, "CREATE INDEX t_body ON t(body); CREATE TABLE u(x)");
	live_exec(db, "PRAGMA cache_size=2000; BEGIN;"
	              "INSERT INTO u VALUES(zeroblob(200000)); SAVEPOINT s;"
	              "DELETE FROM t WHERE id%5=0; ROLLBACK TO s;"
	              "DELETE FROM t WHERE id%7=0; COMMIT");
	live_insert(db, 5);
	spill_and_roll_back(db);
	live_exec(db, "DROP TABLE u; DELETE FROM t WHERE id>9");
	live_exec(db, "VACUUM");
	live_insert(db, 5);
	spill_and_commit(db);
	spill_and_roll_back(db);
}

/* ---- From SQLite's WAL to a shadow ---- */

/* Ends in SQLite's WAL and in the shadow of one commit. */
struct pair {
	uint64_t real;
	uint64_t ours;
};

LSV_VECTOR(pairs, struct pair)

static void add_commit(struct lsv_shadow *shadow, uint64_t at,
                       const uint8_t *header, size_t frame_size,
                       struct pairs *pairs)
{
	struct lsv_real real = {
		.frame = (uint32_t)((at - LSV_WAL_HEADER_SIZE) / frame_size) +
	                 1};
	struct pair pair = {.real = at + frame_size};

	memcpy(real.header, header, LSV_FRAME_HEADER_SIZE);
	ck_assert_int_eq(lsv_shadow_commit(shadow, 1, 2, &real), 0);
	pair.ours = lsv_shadow_end(shadow)->commit.end;
	ck_assert_int_eq(pairs_append(pairs, pair), 0);
}

static void copy_wal(const uint8_t *wal, size_t n, struct lsv_shadow *shadow,
                     struct pairs *pairs)
{
	struct lsv_wal_header header;
	struct lsv_frame frame;
	uint32_t sum[2];
	size_t size;

	ck_assert_uint_gt(n, LSV_WAL_HEADER_SIZE);
	ck_assert_int_eq(lsv_wal_header_decode(wal, &header), 0);
	memcpy(sum, header.checksum, sizeof sum);
	size = LSV_FRAME_HEADER_SIZE + header.page_size;
	for (size_t at = LSV_WAL_HEADER_SIZE; at + size <= n; at += size) {
		const uint8_t *page = wal + at + LSV_FRAME_HEADER_SIZE;

		/* Behind the last commit lies what was rolled back. */
		if (!lsv_frame_verify(wal + at, page, header.page_size,
		                      header.big_endian, header.salt, sum))
			break;
		lsv_frame_decode(wal + at, &frame);
		ck_assert_int_eq(lsv_shadow_append(shadow, frame.page_no,
		                                   frame.db_pages, page),
		                 0);
		if (frame.db_pages)
			add_commit(shadow, at, wal + at, size, pairs);
	}
	lsv_shadow_rollback(shadow);
	ck_assert_int_eq(lsv_shadow_write(shadow), 0);
}

/* ---- What SQLite makes of it ---- */

static void write_file(const char *path, const char *bytes, size_t n)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(lsv_write(fd, bytes, n), 0);
}

/* The database with this WAL beside it, as SQLite recovers it: its bytes. */
static char *recovered(const char *db_bytes, size_t n_db, const char *wal,
                       size_t n_wal, size_t *n)
{
	char *bytes = NULL;
	sqlite3 *db;

	write_file("copy.db", db_bytes, n_db);
	write_file("copy.db-wal", wal, n_wal);
	unlink("copy.db-shm");
	db = live_open("copy.db");
	ck_assert_int_gt(live_number(db, "SELECT count(*)+1 FROM"
	                                 " sqlite_schema"),
	                 0);
	live_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	live_close(&db);
	ck_assert_int_eq(lsv_file_read("copy.db", SIZE_MAX, &bytes, n), 0);
	return bytes;
}

static void check_page_size(uint32_t page_size)
{
	auto_scratch char *dir = scratch_enter();
	auto_live sqlite3 *db = live_create(page_size);
	auto_shadow struct lsv_shadow *shadow = NULL;
	auto_free char *base = NULL, *wal = NULL, *ours = NULL;
	struct pairs pairs = {0};
	size_t n_base, n_wal, n_ours;

	work(db);
	ck_assert_int_eq(lsv_file_read("app.db", SIZE_MAX, &base, &n_base), 0);
	ck_assert_int_eq(lsv_file_read("app.db-wal", SIZE_MAX, &wal, &n_wal),
	                 0);
	ck_assert_int_eq(lsv_shadow_create(".", GENERATION, INDEX, page_size,
	                                   &(struct lsv_record){0}, 0600,
	                                   &shadow),
	                 0);
	copy_wal((const uint8_t *)wal, n_wal, shadow, &pairs);
	ck_assert_uint_gt(pairs.n, 15);
	ck_assert_int_eq(
		lsv_file_read("wal/7fffffff.wal", SIZE_MAX, &ours, &n_ours), 0);

	for (size_t i = 0; i <= pairs.n; i++) {
		bool is_whole = i == pairs.n;
		auto_free char *a = NULL, *b = NULL;
		size_t n_a, n_b;

		a = recovered(base, n_base, wal,
		              is_whole ? n_wal : pairs.at[i].real, &n_a);
		b = recovered(base, n_base, ours,
		              is_whole ? n_ours : pairs.at[i].ours, &n_b);
		ck_assert_uint_eq(n_a, n_b);
		ck_assert_mem_eq(a, b, n_a);
	}
	free(pairs.at);
}

START_TEST(sqlite_recovers_a_shadow_as_its_own_wal)
{
	check_page_size(512);
	check_page_size(4096);
	check_page_size(65536);
}
END_TEST

UNIT(shadow_oracle, sqlite_recovers_a_shadow_as_its_own_wal)
