/* SPDX-License-Identifier: MIT */
#include "replica/format/snapshot.h"
#include "replica/wal/pagehash.h"
#include "test/lib/fakewal.h"
#include "test/lib/unit.h"

static struct lsv_buf database(uint32_t page_size, uint32_t n_pages)
{
	struct lsv_buf db = {0};

	ck_assert_int_eq(lsv_buf_reserve(&db, (size_t)page_size * n_pages), 0);
	for (uint32_t i = 0; i < n_pages; i++, db.n += page_size)
		fakewal_fill(db.data + db.n, page_size, i);
	return db;
}

static uint64_t sum_of(const struct lsv_buf *db, uint32_t page_size)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < db->n / page_size; i++)
		sum ^= lsv_page_hash(i + 1, db->data + (size_t)i * page_size,
		                     page_size);
	return sum;
}

struct told {
	uint32_t last;
	uint64_t sum;
};

static void tell(void *arg, uint32_t page_no, uint64_t hash)
{
	struct told *told = arg;

	ck_assert_uint_eq(page_no, told->last + 1);
	told->last = page_no;
	told->sum ^= hash;
}

/* One snapshot's table, and a record that says what was not yet seen. */
struct fixture {
	struct lsv_commit at;
	struct lsv_table table;
	struct lsv_buf db;
	struct lsv_snapshot_source source;
	struct told told;
};

static void set_up(struct fixture *f, uint32_t page_size, uint32_t n_pages)
{
	*f = (struct fixture){
		.at = {.txid = 12, .time_ns = 99, .db_pages = n_pages},
		.table = {.first = {1, 4, 0}, .first_txid = 12},
		.db = database(page_size, n_pages),
	};
	f->table.commits = (struct lsv_commits){&f->at, 1, 1};
	f->source = (struct lsv_snapshot_source){
		lsv_reader_memory(f->db.data, f->db.n), page_size, tell,
		&f->told};
}

static void tear_down(struct fixture *f)
{
	lsv_reader_close(f->source.pages);
	lsv_buf_free(&f->db);
}

static void check_object(const struct fixture *f, struct lsv_reader *object,
                         enum lsv_codec codec)
{
	struct lsv_buf back = {0}, tail = {0};
	struct lsv_writer *into = lsv_writer_buf(&back), *decompress;
	struct lsv_table got;

	ck_assert_int_eq(lsv_decompress_open(codec, into, &tail, &decompress),
	                 0);
	ck_assert_int_eq(lsv_copy(object, decompress), 0);
	ck_assert_int_eq(lsv_decompress_end(decompress), 0);
	ck_assert_uint_eq(back.n, f->db.n);
	ck_assert(memcmp(back.data, f->db.data, back.n) == 0);
	ck_assert_int_eq(lsv_table_decode(tail.data, tail.n, &got), 0);
	ck_assert(lsv_table_is_snapshot(&got));
	ck_assert(got.commits.at[0].page_hash == f->at.page_hash);
	ck_assert(got.commits.at[0].txid == 12);
	lsv_table_free(&got);
	lsv_writer_close(decompress);
	lsv_writer_close(into);
	lsv_buf_free(&back);
	lsv_buf_free(&tail);
}

START_TEST(every_page_size_comes_back_with_its_page_hash)
{
	for (uint32_t size = 512; size <= 65536; size *= 2) {
		/* Below, at and beyond the codec's block. */
		uint32_t block = (4 << 20) / size;
		const uint32_t n_pages[] = {1, block, block + 1};
		struct fixture f;

		for (int i = 0; i < 3; i++) {
			enum lsv_codec codec = size % 3 == 2 ? LSV_ZSTD
			                                     : LSV_LZ4;
			struct lsv_reader *object;

			set_up(&f, size, n_pages[i]);
			ck_assert_int_eq(lsv_snapshot_encode(codec, &f.source,
			                                     &f.table, &object),
			                 0);
			check_object(&f, object, codec);
			ck_assert(f.at.page_hash == sum_of(&f.db, size));
			ck_assert(f.told.sum == f.at.page_hash);
			ck_assert_uint_eq(f.told.last, n_pages[i]);
			lsv_reader_close(object);
			tear_down(&f);
		}
	}
}
END_TEST

START_TEST(a_rewound_snapshot_is_hashed_anew)
{
	struct lsv_reader *object;
	uint8_t head[100];
	struct fixture f;

	set_up(&f, 4096, 2000);
	f.source.each = NULL;
	ck_assert_int_eq(
		lsv_snapshot_encode(LSV_LZ4, &f.source, &f.table, &object), 0);
	ck_assert_int_eq(lsv_read_full(object, head, sizeof head), sizeof head);
	ck_assert_int_eq(object->rewind(object), 0);
	check_object(&f, object, LSV_LZ4);
	ck_assert(f.at.page_hash == sum_of(&f.db, 4096));
	lsv_reader_close(object);
	tear_down(&f);
}
END_TEST

START_TEST(a_database_of_another_size_is_refused)
{
	static const struct {
		size_t cut;
		uint32_t db_pages;
	} table[] = {{1, 3}, {511, 3}, {512, 3}, {0, 2}, {0, 4}};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_reader *object;
		uint8_t buf[8192];
		struct fixture f;

		set_up(&f, 512, 3);
		f.at.db_pages = table[i].db_pages;
		lsv_reader_close(f.source.pages);
		f.source.pages = lsv_reader_memory(f.db.data,
		                                   f.db.n - table[i].cut);
		ck_assert_int_eq(lsv_snapshot_encode(LSV_LZ4, &f.source,
		                                     &f.table, &object),
		                 0);
		ck_assert_int_eq(lsv_read_full(object, buf, sizeof buf),
		                 -EBADMSG);
		lsv_reader_close(object);
		tear_down(&f);
	}
}
END_TEST

START_TEST(only_a_snapshot_s_table_and_a_page_size_are_accepted)
{
	struct lsv_reader *object;
	struct fixture f;

	set_up(&f, 512, 3);
	f.source.page_size = 500;
	ck_assert_int_eq(
		lsv_snapshot_encode(LSV_LZ4, &f.source, &f.table, &object),
		-EINVAL);
	f.source.page_size = 512;
	f.at.end = 568;
	ck_assert_int_eq(
		lsv_snapshot_encode(LSV_LZ4, &f.source, &f.table, &object),
		-EINVAL);
	tear_down(&f);
}
END_TEST

UNIT(snapshot, every_page_size_comes_back_with_its_page_hash,
     a_rewound_snapshot_is_hashed_anew, a_database_of_another_size_is_refused,
     only_a_snapshot_s_table_and_a_page_size_are_accepted)
