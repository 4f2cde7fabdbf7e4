/* SPDX-License-Identifier: MIT */

/*
 * mkreplica [-g GEN] [-l LINEAGE] [-c lz4|zstd] [-s STATES] DB REPLICA <SCRIPT
 *
 * Writes a replica in our format without the VFS: a test's own hand, so that
 * restore is held against the format and not against our writer.  Each line
 * of the script is SQL, run by SQLite itself, or one of
 *
 *	.snapshot   end the index; begin the next with a snapshot
 *	.rotate     end the index; begin the next
 *	.segment    put what is new as a segment
 *	.checkpoint let SQLite empty its WAL
 *	.time T     the time of the next commit; then one second more for each
 *
 * What is committed before the first .snapshot belongs to no generation.
 * With -s the database after each commit, as SQLite's own recovery makes it
 * of a copied database and WAL, is left as STATES/<txid>.db, and its time in
 * STATES/<txid>.time.
 */

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/format/segment.h"
#include "replica/format/snapshot.h"
#include "replica/store/client.h"
#include "replica/wal/pagehash.h"
#include "replica/wal/shm.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct maker {
	const char *db_path;
	const char *states;
	enum lsv_codec codec;
	sqlite3 *db;
	struct lsv_client *client;
	bool has_generation;

	uint32_t page_size;
	struct lsv_buf image; /* the database, as of the last commit */

	uint32_t salt[2]; /* where we are in SQLite's WAL */
	uint32_t real[2];
	bool big_endian;
	uint64_t real_end;

	struct lsv_pos begin; /* of the segment in the making */
	struct lsv_buf shadow;
	uint32_t checksum[2];
	uint64_t end;
	struct lsv_table table;
	uint64_t txid;
	int64_t time_ns;
};

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, strerror(-r));
}

static uint64_t image_hash(const struct maker *m)
{
	uint64_t hash = 0;

	for (size_t at = 0; at < m->image.n; at += m->page_size)
		hash ^= lsv_page_hash((uint32_t)(at / m->page_size + 1),
		                      m->image.data + at, m->page_size);
	return hash;
}

static void resize_image(struct maker *m, uint32_t pages)
{
	size_t n = (size_t)pages * m->page_size;

	if (n > m->image.n) {
		must(lsv_buf_reserve(&m->image, n - m->image.n), "image");
		memset(m->image.data + m->image.n, 0, n - m->image.n);
	}
	m->image.n = n;
}

/* A frame of SQLite's, again in our chain. */
static void add_frame(struct maker *m, const uint8_t *bytes)
{
	uint8_t header[LSV_FRAME_HEADER_SIZE];
	const uint8_t *page = bytes + LSV_FRAME_HEADER_SIZE;
	struct lsv_wal_header ours;
	struct lsv_frame frame;

	lsv_frame_decode(bytes, &frame);
	if ((size_t)frame.page_no * m->page_size > m->image.n)
		resize_image(m, frame.page_no);
	memcpy(m->image.data + (size_t)(frame.page_no - 1) * m->page_size, page,
	       m->page_size);
	if (!m->has_generation)
		return;
	lsv_shadow_header(m->begin.generation, m->begin.index, m->page_size,
	                  &ours);
	memcpy(frame.salt, ours.salt, sizeof frame.salt);
	lsv_frame_encode(&frame, ours.big_endian, page, m->page_size,
	                 m->checksum, header);
	must(lsv_buf_append(&m->shadow, header, sizeof header), "shadow");
	must(lsv_buf_append(&m->shadow, page, m->page_size), "shadow");
	m->end += sizeof header + m->page_size;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	must(lsv_file_replace(path, bytes, n, 0600), path);
}

/* What SQLite's own recovery makes of the files as they are now. */
static void leave_state(const struct maker *m, const struct lsv_commit *commit)
{
	auto_free char *path = lsv_sprintf("%s/%" PRIu64 ".db", m->states,
	                                   commit->txid);
	auto_free char *wal = lsv_sprintf("%s-wal", path);
	auto_free char *time = lsv_sprintf("%s/%" PRIu64 ".time", m->states,
	                                   commit->txid);
	auto_free char *from = lsv_sprintf("%s-wal", m->db_path);
	char text[LSV_TIME_TEXT_SIZE];
	char *bytes;
	sqlite3 *db;
	size_t n;

	must(lsv_file_read(m->db_path, SIZE_MAX, &bytes, &n), m->db_path);
	write_file(path, bytes, n);
	free(bytes);
	if (lsv_file_read(from, SIZE_MAX, &bytes, &n) == 0) {
		write_file(wal, bytes, n);
		free(bytes);
	}
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
	                 NULL) != SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	lsv_time_format(commit->time_ns, text);
	write_file(time, text, strlen(text));
}

static void add_commit(struct maker *m, uint32_t pages)
{
	struct lsv_commit commit = {.db_pages = pages};

	resize_image(m, pages);
	if (!m->has_generation)
		return;
	m->time_ns += LSV_NS_PER_S;
	commit.end = m->end;
	commit.txid = ++m->txid;
	commit.time_ns = m->time_ns;
	commit.page_hash = image_hash(m);
	memcpy(commit.checksum, m->checksum, sizeof commit.checksum);
	must(lsv_commits_append(&m->table.commits, commit), "commits");
	if (m->states)
		leave_state(m, &commit);
}

static void take_wal_header(struct maker *m, int fd)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;

	if (lsv_pread(fd, bytes, sizeof bytes, 0) < (ssize_t)sizeof bytes ||
	    lsv_wal_header_decode(bytes, &header) ||
	    lsv_salt_equal(header.salt, m->salt))
		return;
	m->page_size = header.page_size;
	m->big_endian = header.big_endian;
	memcpy(m->salt, header.salt, sizeof m->salt);
	memcpy(m->real, header.checksum, sizeof m->real);
	m->real_end = LSV_WAL_HEADER_SIZE;
}

/* What SQLite's WAL has more than we took. */
static void catch_up(struct maker *m)
{
	auto_free char *path = lsv_sprintf("%s-wal", m->db_path);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t bytes[LSV_FRAME_HEADER_SIZE + LSV_PAGE_SIZE_MAX];
	size_t size;

	if (fd < 0)
		return;
	take_wal_header(m, fd);
	size = LSV_FRAME_HEADER_SIZE + m->page_size;
	while (m->page_size &&
	       lsv_pread(fd, bytes, size, m->real_end) == (ssize_t)size &&
	       lsv_frame_verify(bytes, bytes + LSV_FRAME_HEADER_SIZE,
	                        m->page_size, m->big_endian, m->salt,
	                        m->real)) {
		struct lsv_frame frame;

		lsv_frame_decode(bytes, &frame);
		add_frame(m, bytes);
		if (frame.db_pages)
			add_commit(m, frame.db_pages);
		m->real_end += size;
	}
}

static void put(struct maker *m, const char *name, struct lsv_reader *object,
                int64_t time_ns)
{
	must(m->client->ops->put(m->client, name, object, time_ns, LSV_PUT_NEW),
	     name);
}

static void put_segment(struct maker *m)
{
	auto_free char *name = lsv_layout_segment(&m->begin, m->codec);
	struct lsv_commits *commits = &m->table.commits;
	auto_reader struct lsv_reader *plain = lsv_reader_memory(m->shadow.data,
	                                                         m->shadow.n);
	auto_reader struct lsv_reader *object = NULL;

	if (commits->n == 0)
		return;
	m->table.first = m->begin;
	m->table.first_txid = commits->at[0].txid;
	must(lsv_segment_encode(m->codec, plain, &m->table, &object), name);
	put(m, name, object, commits->at[commits->n - 1].time_ns);
	commits->n = 0;
	m->shadow.n = 0;
	m->begin.offset = m->end;
}

static void begin_index(struct maker *m, uint32_t index)
{
	uint8_t bytes[LSV_WAL_HEADER_SIZE];
	struct lsv_wal_header header;

	m->begin.index = index;
	m->begin.offset = 0;
	lsv_shadow_header(m->begin.generation, index, m->page_size, &header);
	lsv_wal_header_encode(&header, bytes);
	memcpy(m->checksum, header.checksum, sizeof m->checksum);
	must(lsv_buf_append(&m->shadow, bytes, sizeof bytes), "shadow");
	m->end = sizeof bytes;
}

static void rotate(struct maker *m)
{
	put_segment(m);
	m->shadow.n = 0;
	begin_index(m, m->begin.index + 1);
}

static void put_snapshot(struct maker *m)
{
	struct lsv_commit at = {
		.txid = m->txid,
		.time_ns = m->time_ns,
		.db_pages = (uint32_t)(m->image.n / m->page_size),
	};
	auto_free char *name = lsv_layout_snapshot(m->begin.generation,
	                                           m->begin.index, m->codec);
	auto_reader struct lsv_reader *plain = lsv_reader_memory(m->image.data,
	                                                         m->image.n);
	const struct lsv_snapshot_source source = {.pages = plain,
	                                           .page_size = m->page_size};
	auto_reader struct lsv_reader *object = NULL;

	m->table.first = m->begin;
	m->table.first_txid = m->txid;
	must(lsv_commits_append(&m->table.commits, at), "commits");
	must(lsv_snapshot_encode(m->codec, &source, &m->table, &object), name);
	put(m, name, object, m->time_ns);
	m->table.commits.n = 0;
}

static void snapshot(struct maker *m)
{
	if (m->has_generation) {
		rotate(m);
	} else {
		if (!m->page_size)
			errx(1, ".snapshot before the first commit");
		m->has_generation = true;
		m->txid = 1;
		m->time_ns += LSV_NS_PER_S;
		begin_index(m, 0);
		if (m->states)
			leave_state(
				m, &(struct lsv_commit){.txid = 1,
			                                .time_ns = m->time_ns});
	}
	put_snapshot(m);
}

static void run_sql(struct maker *m, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(m->db, sql, NULL, NULL, &message) != SQLITE_OK)
		errx(1, "%s: %s", sql, message);
	catch_up(m);
}

static void run_line(struct maker *m, char *line)
{
	if (strcmp(line, ".snapshot") == 0)
		snapshot(m);
	else if (strcmp(line, ".rotate") == 0)
		rotate(m);
	else if (strcmp(line, ".segment") == 0)
		put_segment(m);
	else if (strcmp(line, ".checkpoint") == 0)
		run_sql(m, "PRAGMA wal_checkpoint(TRUNCATE)");
	else if (strncmp(line, ".time ", 6) == 0) {
		must(lsv_time_parse(line + 6, &m->time_ns), line);
		m->time_ns -= LSV_NS_PER_S;
	} else
		run_sql(m, line);
}

static void parse_args(struct maker *m, int argc, char **argv)
{
	int c;

	m->begin.generation = UINT64_C(0x0123456789abcdef);
	memset(m->table.lineage, 'L', sizeof m->table.lineage);
	while ((c = getopt(argc, argv, "g:l:c:s:")) != -1) {
		if (c == 'g')
			must(lsv_generation_parse(optarg, strlen(optarg),
			                          &m->begin.generation),
			     optarg);
		else if (c == 'l')
			memset(m->table.lineage, *optarg,
			       sizeof m->table.lineage);
		else if (c == 'c')
			m->codec = strcmp(optarg, "zstd") ? LSV_LZ4 : LSV_ZSTD;
		else if (c == 's')
			m->states = optarg;
		else
			exit(2);
	}
	if (argc - optind != 2)
		errx(2, "expected DB and REPLICA");
	m->db_path = argv[optind];
	must(lsv_client_open(argv[optind + 1], NULL, &m->client),
	     argv[optind + 1]);
}

int main(int argc, char **argv)
{
	struct maker m = {.time_ns = 1700000000 * LSV_NS_PER_S};
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	parse_args(&m, argc, argv);
	if (m.states)
		must(lsv_mkdirs(m.states, 0700), m.states);
	if (sqlite3_open(m.db_path, &m.db) != SQLITE_OK)
		errx(1, "%s: %s", m.db_path, sqlite3_errmsg(m.db));
	run_sql(&m, "PRAGMA wal_autocheckpoint=0");
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		run_line(&m, line);
	}
	put_segment(&m);
	free(line);
	free(m.shadow.data);
	free(m.image.data);
	free(m.table.commits.at);
	sqlite3_close(m.db);
	lsv_client_close(m.client);
	return 0;
}
