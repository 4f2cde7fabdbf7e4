/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"
#include "replica/format/layout.h"
#include "replica/format/segment.h"
#include "replica/ship/proof.h"
#include "replica/ship/upload.h"
#include "replica/wal/pagehash.h"
#include "test/lib/fakewal.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define GEN UINT64_C(0xfedcba9876543210)
#define INDEX 5
#define PAGE_SIZE 512
#define FRAME (PAGE_SIZE + LSV_FRAME_HEADER_SIZE)

static const struct lsv_upload upload = {
	.gen_dir = "gen",
	.generation = GEN,
	.codec = LSV_LZ4,
	.lineage = "a lineage",
};

/* Appends a transaction of n frames. */
static void transact(struct lsv_shadow *shadow, uint32_t n, int64_t time_ns)
{
	static uint8_t page[LSV_PAGE_SIZE_MAX];
	struct lsv_real real = {0};

	for (uint32_t i = 1; i <= n; i++) {
		fakewal_fill(page, lsv_shadow_page_size(shadow),
		             (uint32_t)time_ns + i);
		ck_assert(!lsv_shadow_append(shadow, i, i == n ? n : 0, page));
	}
	ck_assert(lsv_shadow_commit(shadow, time_ns, n, &real) == 0 &&
	          lsv_shadow_write(shadow) == 0);
}

/* A shadow with three commits of 1, 2 and 3 frames, and their ends. */
static void make_shadow(uint64_t ends[4])
{
	struct lsv_record base = {.commit = {.txid = 10, .db_pages = 1}};
	auto_shadow struct lsv_shadow *shadow = NULL;

	ck_assert_int_eq(lsv_mkdirs("gen", 0700), 0);
	ck_assert(!lsv_shadow_create("gen", GEN, INDEX, PAGE_SIZE, &base, 0600,
	                             &shadow));
	ends[0] = 0;
	for (uint32_t i = 1; i <= 3; i++) {
		transact(shadow, i, 1000 + i);
		ends[i] = lsv_shadow_end(shadow)->commit.end;
	}
}

static int count(void *arg, const struct lsv_object *object)
{
	(void)object;
	++*(int *)arg;
	return 0;
}

static int n_objects(struct lsv_client *client)
{
	int n = 0;

	ck_assert_int_eq(client->ops->list(client, "", count, &n), 0);
	return n;
}

static int same_time(void *arg, const struct lsv_object *object)
{
	ck_assert(object->time_ns == *(int64_t *)arg);
	return 0;
}

/* Plain bytes and table of an object on a replica. */
static void fetch(struct lsv_client *client, char *name, enum lsv_codec codec,
                  struct lsv_buf *plain, struct lsv_table *table)
{
	struct lsv_buf tail = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(plain);
	auto_writer struct lsv_writer *decompress = NULL;

	ck_assert(!lsv_decompress_open(codec, into, &tail, &decompress));
	ck_assert_int_eq(client->ops->get(client, name, NULL, decompress), 0);
	ck_assert_int_eq(lsv_decompress_end(decompress), 0);
	ck_assert_int_eq(lsv_table_decode(tail.data, tail.n, table), 0);
	lsv_buf_free(&tail);
	free(name);
}

static void check_segment(struct lsv_client *client, uint64_t from, uint64_t to,
                          size_t n_commits)
{
	struct lsv_pos pos = {GEN, INDEX, from};
	char *expected;
	struct lsv_buf plain = {0};
	struct lsv_table table;

	fetch(client, lsv_layout_segment(&pos, LSV_LZ4), LSV_LZ4, &plain,
	      &table);
	ck_assert_uint_eq(plain.n, to - from);
	ck_assert_int_eq(
		lsv_file_read("gen/wal/00000005.wal", 1 << 26, &expected, NULL),
		0);
	ck_assert_mem_eq(plain.data, expected + from, plain.n);
	ck_assert_uint_eq(table.commits.n, n_commits);
	ck_assert(table.first.generation == GEN);
	ck_assert(lsv_pos_compare(&table.first, &pos) == 0);
	ck_assert(table.commits.at[n_commits - 1].end == to);
	ck_assert_mem_eq(table.lineage, upload.lineage, LSV_LINEAGE_SIZE);
	lsv_table_free(&table);
	lsv_buf_free(&plain);
	free(expected);
}

/* A replica that has something of the generation, as its snapshot's put leaves
 * it. */
static void open_begun(const char *root, struct lsv_client **client)
{
	auto_free char *dir = lsv_sprintf("%s/generations/fedcba9876543210",
	                                  root);

	ck_assert_int_eq(lsv_mkdirs(dir, 0700), 0);
	ck_assert_int_eq(lsv_client_file(root, client), 0);
}

START_TEST(segments_carry_their_commits_and_their_last_one_s_time)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	uint64_t ends[4], n_bytes = 0;
	int64_t times[] = {1001, 1003};
	struct stat st;

	make_shadow(ends);
	open_begun("replica", &client);
	ck_assert(!lsv_upload_segment(&upload, client, INDEX, 0, ends[1],
	                              &n_bytes));
	check_segment(client, 0, ends[1], 1);
	ck_assert_int_eq(client->ops->list(client, "", same_time, &times[0]),
	                 0);
	ck_assert(!lsv_upload_segment(&upload, client, INDEX, ends[1], ends[3],
	                              &n_bytes));
	check_segment(client, ends[1], ends[3], 2);
	ck_assert_int_eq(stat("replica/generations/fedcba9876543210/wal/"
	                      "00000005_00000238.wal.lz4",
	                      &st),
	                 0);
	ck_assert_int_eq(st.st_mtim.tv_nsec, times[1]);
	ck_assert_int_eq((int64_t)n_bytes, st.st_size);
}
END_TEST

START_TEST(a_segment_is_not_put_where_its_generation_is_gone)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	uint64_t ends[4], n_bytes = 0;
	struct stat st;

	make_shadow(ends);
	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	ck_assert_int_eq(lsv_upload_segment(&upload, client, INDEX, 0, ends[1],
	                                    &n_bytes),
	                 -ENOENT);
	ck_assert_int_lt(stat("replica/generations", &st), 0);
}
END_TEST

START_TEST(a_put_tried_again_has_the_same_bytes)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	uint64_t ends[4], n_bytes = 0;
	struct lsv_upload other = upload;

	make_shadow(ends);
	open_begun("replica", &client);
	for (int i = 0; i < 2; i++)
		ck_assert(!lsv_upload_segment(&upload, client, INDEX, 0,
		                              ends[2], &n_bytes));
	/* Of another lineage, or with more commits: not the same. */
	other.lineage[0] ^= 1;
	ck_assert_int_eq(
		lsv_upload_segment(&other, client, INDEX, 0, ends[2], &n_bytes),
		-EEXIST);
	ck_assert_int_eq(lsv_upload_segment(&upload, client, INDEX, 0, ends[3],
	                                    &n_bytes),
	                 -EEXIST);
	ck_assert_int_eq(n_objects(client), 1);
}
END_TEST

START_TEST(only_from_commit_to_commit)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	uint64_t ends[4], n_bytes = 0;

	make_shadow(ends);
	const struct {
		uint64_t from, to;
	} table[] = {
		{0, 0},
		{ends[1], ends[1]},
		{ends[2], ends[1]},
		{0, ends[1] + 1},
		{0, ends[1] + FRAME}, /* inside the second */
		{ends[1] + FRAME, ends[3]},
		{0, ends[3] + FRAME},
		{ends[3], ends[3] + FRAME},
		{1, ends[3]},
	};
	open_begun("replica", &client);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_msg(lsv_upload_segment(&upload, client, INDEX,
		                                 table[i].from, table[i].to,
		                                 &n_bytes) == -EINVAL,
		              "row %zu", i);
	ck_assert_int_eq(n_objects(client), 0);
}
END_TEST

static void flip(const char *path, off_t at)
{
	auto_close int fd = open(path, O_RDWR);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

START_TEST(a_damaged_shadow_does_not_become_an_object)
{
	static const off_t at[] = {
		0,    8,    17,   31, /* the header */
		32,   36,             /* the first frame's */
		100,                  /* its page */
		1639, 1640, 1700,     /* the third commit's */
	};
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	uint64_t ends[4], n_bytes = 0;
	struct lsv_upload other = upload;

	make_shadow(ends);
	open_begun("replica", &client);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		flip("gen/wal/00000005.wal", at[i]);
		ck_assert_msg(lsv_upload_segment(&upload, client, INDEX, 0,
		                                 ends[3], &n_bytes) == -EBADMSG,
		              "byte %d", (int)at[i]);
		flip("gen/wal/00000005.wal", at[i]);
	}
	/* Cut, and another generation's. */
	other.generation++;
	ck_assert_int_eq(
		lsv_upload_segment(&other, client, INDEX, 0, ends[3], &n_bytes),
		-EBADMSG);
	ck_assert_int_eq(truncate("gen/wal/00000005.wal", (off_t)ends[3] - 1),
	                 0);
	ck_assert_int_eq(lsv_upload_segment(&upload, client, INDEX, 0, ends[3],
	                                    &n_bytes),
	                 -EBADMSG);
	ck_assert_int_eq(n_objects(client), 0);
	ck_assert_int_eq(
		access("replica/generations/fedcba9876543210/wal", F_OK), -1);
}
END_TEST

/* The result of reading all of it. */
static int drain(struct lsv_reader *reader)
{
	uint8_t buf[4096];
	ssize_t got;

	do {
		got = reader->read(reader, buf, sizeof buf);
	} while (got > 0);
	return (int)got;
}

START_TEST(a_shadow_is_proven_up_to_its_record_s_checksum)
{
	struct lsv_wal_header header;
	struct fakewal *wal = malloc(sizeof *wal);
	struct lsv_chain begin = {0};

	lsv_shadow_header(GEN, INDEX, PAGE_SIZE, &header);
	fakewal_make(wal, &header, 1, 3);
	for (int i = 0; i < 3; i++) {
		struct lsv_commit last = wal->commits.at[2];
		auto_reader struct lsv_reader *bytes = lsv_reader_memory(
			wal->bytes.data, wal->bytes.n);
		auto_reader struct lsv_reader *proof = NULL;
		int expected = i ? -EBADMSG : 0;

		if (i)
			last.checksum[i - 1] ^= 1;
		ck_assert(!lsv_proof_wal(bytes, &begin, &last, &proof));
		ck_assert_int_eq(drain(proof), expected);
		/* And once more: a put tried again is proven again. */
		ck_assert_int_eq(proof->rewind(proof), 0);
		ck_assert_int_eq(drain(proof), expected);
	}
	fakewal_free(wal);
	free(wal);
}
END_TEST

/* A client that reads half of what it is to put, and rewinds, before the real
 * one gets it. */
struct hesitant {
	struct lsv_client base;
	struct lsv_client *real;
	size_t n_first;
};

static int hesitant_put(struct lsv_client *client, const char *name,
                        struct lsv_reader *body, int64_t time_ns,
                        enum lsv_put_mode mode)
{
	struct hesitant *h = (struct hesitant *)client;
	auto_free uint8_t *buf = malloc(h->n_first);

	ck_assert(lsv_read_full(body, buf, h->n_first) >= 0);
	ck_assert_ptr_nonnull(body->rewind);
	ck_assert_int_eq(body->rewind(body), 0);
	return h->real->ops->put(h->real, name, body, time_ns, mode);
}

static const struct lsv_client_ops hesitant_ops = {.put = hesitant_put};

START_TEST(a_huge_transaction_is_streamed_and_can_be_read_again)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	struct lsv_record base = {.commit = {.txid = 0, .db_pages = 1}};
	auto_shadow struct lsv_shadow *shadow = NULL;
	struct hesitant hesitant = {.base = {.ops = &hesitant_ops},
	                            .n_first = 9000000};
	uint64_t end, n_bytes = 0;

	ck_assert_int_eq(lsv_mkdirs("gen", 0700), 0);
	ck_assert(!lsv_shadow_create("gen", GEN, INDEX, 4096, &base, 0600,
	                             &shadow));
	transact(shadow, 4000, 1);
	end = lsv_shadow_end(shadow)->commit.end;
	open_begun("replica", &client);
	hesitant.real = client;
	ck_assert(!lsv_upload_segment(&upload, &hesitant.base, INDEX, 0, end,
	                              &n_bytes));
	check_segment(client, 0, end, 1);
	ck_assert(n_bytes > 4000 * 2048 && n_bytes < end);
	/* And again, as one that is put without hesitation. */
	ck_assert_int_eq(
		lsv_upload_segment(&upload, client, INDEX, 0, end, &n_bytes),
		0);
}
END_TEST

static struct lsv_buf database(uint32_t n_pages)
{
	struct lsv_buf db = {0};

	ck_assert_int_eq(lsv_buf_reserve(&db, (size_t)n_pages * PAGE_SIZE), 0);
	for (uint32_t i = 0; i < n_pages; i++, db.n += PAGE_SIZE)
		fakewal_fill(db.data + db.n, PAGE_SIZE, i);
	return db;
}

static int spool(const struct lsv_upload *how, const struct lsv_buf *db,
                 struct lsv_commit *at)
{
	struct lsv_snapshot_source source = {
		.pages = lsv_reader_memory(db->data, db->n),
		.page_size = PAGE_SIZE,
	};
	int r = lsv_upload_spool_snapshot(how, INDEX, &source, at);

	lsv_reader_close(source.pages);
	return r;
}

static void check_snapshot(struct lsv_client *client, enum lsv_codec codec,
                           const struct lsv_buf *db,
                           const struct lsv_commit *at)
{
	struct lsv_buf plain = {0};
	struct lsv_table table;

	fetch(client, lsv_layout_snapshot(GEN, INDEX, codec), codec, &plain,
	      &table);
	ck_assert_uint_eq(plain.n, db->n);
	ck_assert_mem_eq(plain.data, db->data, db->n);
	ck_assert(lsv_table_is_snapshot(&table));
	ck_assert(table.first_txid == at->txid);
	ck_assert(table.commits.at[0].page_hash == at->page_hash);
	lsv_table_free(&table);
	lsv_buf_free(&plain);
}

START_TEST(a_snapshot_is_spooled_put_and_dropped)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_buf db = database(3000);

	ck_assert_int_eq(lsv_mkdirs("gen", 0700), 0);
	for (int i = 0; i < 2; i++) {
		struct lsv_upload how = upload;
		auto_client struct lsv_client *client = NULL;
		struct lsv_commit at = {.end = 12345,
		                        .txid = 7,
		                        .time_ns = 99,
		                        .checksum = {1, 2},
		                        .db_pages = 3000};
		uint64_t n_bytes = 0;
		int64_t time_ns = 99;
		struct stat st;

		how.codec = i ? LSV_ZSTD : LSV_LZ4;
		ck_assert(!lsv_client_file(i ? "zstd" : "lz4", &client));
		ck_assert(!lsv_upload_has_spooled(&how, INDEX));
		ck_assert_int_eq(
			lsv_upload_snapshot(&how, client, INDEX, &n_bytes),
			-ENOENT);
		ck_assert_int_eq(spool(&how, &db, &at), 0);
		ck_assert(at.page_hash != 0 && at.end == 0);
		ck_assert(lsv_upload_has_spooled(&how, INDEX));
		ck_assert(!lsv_upload_has_spooled(&how, INDEX + 1));
		ck_assert_int_eq(scratch_count("gen"), 1);
		ck_assert_int_eq(stat(i ? "gen/00000005.snapshot.zst"
		                        : "gen/00000005.snapshot.lz4",
		                      &st),
		                 0);
		ck_assert_int_eq(st.st_mode & 0777, 0600);
		ck_assert_int_eq(
			lsv_upload_snapshot(&how, client, INDEX, &n_bytes), 0);
		ck_assert_int_eq((int64_t)n_bytes, st.st_size);
		check_snapshot(client, how.codec, &db, &at);
		ck_assert_int_eq(
			client->ops->list(client, "", same_time, &time_ns), 0);
		/* Whatever the option says by then. */
		lsv_upload_drop_snapshot(&upload, INDEX);
		ck_assert(!lsv_upload_has_spooled(&how, INDEX));
		ck_assert_int_eq(scratch_count("gen"), 0);
	}
	lsv_buf_free(&db);
}
END_TEST

START_TEST(a_spooling_that_fails_leaves_nothing)
{
	auto_scratch char *dir = scratch_enter();
	struct lsv_buf db = database(300);
	struct lsv_commit at = {.txid = 7, .time_ns = 99, .db_pages = 301};

	ck_assert_int_eq(lsv_mkdirs("gen", 0700), 0);
	ck_assert_int_eq(spool(&upload, &db, &at), -EBADMSG);
	ck_assert_int_eq(scratch_count("gen"), 0);
	lsv_buf_free(&db);
}
END_TEST

START_TEST(a_damaged_spool_file_does_not_become_an_object)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	struct lsv_buf db = database(3);
	struct lsv_commit at = {.txid = 7, .time_ns = 99, .db_pages = 3};
	const char *path = "gen/00000005.snapshot.lz4";
	struct lsv_upload other = upload;
	uint64_t n_bytes = 0;
	struct stat st;

	ck_assert_int_eq(lsv_mkdirs("gen", 0700), 0);
	open_begun("replica", &client);
	ck_assert_int_eq(spool(&upload, &db, &at), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	/* Another's, which its name alone does not tell. */
	other.lineage[0] ^= 1;
	ck_assert_int_eq(lsv_upload_snapshot(&other, client, INDEX, &n_bytes),
	                 -EBADMSG);
	other = upload;
	other.generation++;
	ck_assert_int_eq(lsv_upload_snapshot(&other, client, INDEX, &n_bytes),
	                 -EBADMSG);
	ck_assert_int_eq(rename(path, "gen/00000006.snapshot.lz4"), 0);
	ck_assert_int_eq(
		lsv_upload_snapshot(&upload, client, INDEX + 1, &n_bytes),
		-EBADMSG);
	ck_assert_int_eq(rename("gen/00000006.snapshot.lz4", path), 0);
	for (off_t byte = 0; byte < st.st_size; byte += 7) {
		flip(path, byte);
		ck_assert_msg(lsv_upload_snapshot(&upload, client, INDEX,
		                                  &n_bytes) == -EBADMSG,
		              "byte %d", (int)byte);
		flip(path, byte);
	}
	for (off_t size = st.st_size - 1; size >= 0; size -= 13) {
		ck_assert_int_eq(truncate(path, size), 0);
		ck_assert_int_eq(
			lsv_upload_snapshot(&upload, client, INDEX, &n_bytes),
			-EBADMSG);
	}
	ck_assert_int_eq(n_objects(client), 0);
	ck_assert_int_eq(access("replica/generations", F_OK), -1);
	lsv_buf_free(&db);
}
END_TEST

START_TEST(a_lineage_is_put_once_and_known_again)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	struct lsv_lineage lineage = {
		.parent = {0x0123456789abcdef, 3, 4152},
		.db_path = "/srv/app.db",
		.sqlite_version = "3.40.1",
		.reason = "the WAL was reset without us",
	};
	struct lsv_upload other = upload;
	char *text;

	open_begun("replica", &client);
	ck_assert_int_eq(lsv_upload_lineage(&upload, client, &lineage), 0);
	ck_assert(!lsv_file_read("replica/generations/fedcba9876543210/"
	                         "lsvfs/lineage.json",
	                         65536, &text, NULL));
	ck_assert_ptr_nonnull(strstr(text, "\"generation\": "
	                                   "\"fedcba9876543210\""));
	ck_assert_ptr_nonnull(strstr(text, "\"parent\": \"0123456789abcdef/"
	                                   "00000003:00001038\""));
	ck_assert_ptr_nonnull(strstr(text, "reset without us"));
	ck_assert_ptr_nonnull(strstr(text, "\"sqlite\": \"3.40.1\""));
	/* After a restart that tells it otherwise. */
	lineage.reason = "parent unknown";
	lineage.parent = (struct lsv_pos){0};
	ck_assert_int_eq(lsv_upload_lineage(&upload, client, &lineage), 0);
	other.lineage[0] ^= 1;
	ck_assert_int_eq(lsv_upload_lineage(&other, client, &lineage), -EEXIST);
	free(text);
}
END_TEST

UNIT(upload, segments_carry_their_commits_and_their_last_one_s_time,
     a_segment_is_not_put_where_its_generation_is_gone,
     a_put_tried_again_has_the_same_bytes, only_from_commit_to_commit,
     a_damaged_shadow_does_not_become_an_object,
     a_shadow_is_proven_up_to_its_record_s_checksum,
     a_huge_transaction_is_streamed_and_can_be_read_again,
     a_snapshot_is_spooled_put_and_dropped,
     a_spooling_that_fails_leaves_nothing,
     a_damaged_spool_file_does_not_become_an_object,
     a_lineage_is_put_once_and_known_again)
