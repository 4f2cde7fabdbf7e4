/* SPDX-License-Identifier: MIT */
#include "replica/store/catalog.h"
#include "test/lib/client_memory.h"
#include "test/lib/unit.h"

#define A "generations/00000000000000aa/"
#define B "generations/00000000000000bb/"

static void put_all(struct lsv_client *client, const char *const *names)
{
	for (; *names; names++) {
		auto_reader struct lsv_reader *body = lsv_reader_memory("12345",
		                                                        5);

		ck_assert_int_eq(
			client->ops->put(client, *names, body, 7, LSV_PUT_NEW),
			0);
	}
}

static void read_catalog(const char *const *names, struct lsv_catalog *catalog)
{
	struct memory_store store;
	auto_client struct lsv_client *client = NULL;

	memory_init(&store);
	memory_client(&store, &client);
	put_all(client, names);
	ck_assert_int_eq(lsv_catalog_read(client, catalog), 0);
	memory_free(&store);
}

START_TEST(objects_sort_into_generations_snapshots_and_segments)
{
	static const char *const names[] = {
		A "snapshots/00000000.snapshot.lz4",
		A "snapshots/0000000a.snapshot.lz4",
		A "wal/00000000_00000000.wal.lz4",
		A "wal/00000000_00001000.wal.lz4",
		A "wal/0000000a_00000000.wal.zst",
		A "wal/0000000a_00000000.wal.lz4.tmp",
		A "lsvfs/lineage.json",
		B "wal/00000001_00000000.wal.lz4",
		"lsvfs/owner.json",
		"README",
		NULL,
	};
	struct lsv_catalog catalog;
	const struct lsv_generation *a;

	read_catalog(names, &catalog);
	ck_assert_uint_eq(catalog.n_objects, 10);
	ck_assert_uint_eq(catalog.generations.n, 2);
	ck_assert(!catalog.has_ltx);
	ck_assert_ptr_null(lsv_catalog_find(&catalog, 0xcc));
	a = lsv_catalog_find(&catalog, 0xaa);
	ck_assert_ptr_nonnull(a);
	ck_assert(a->has_lineage);
	ck_assert_uint_eq(a->snapshots.n, 2);
	ck_assert_uint_eq(a->snapshots.at[1].pos.index, 10);
	ck_assert_uint_eq(a->segments.n, 3);
	ck_assert(a->segments.at[1].pos.offset == 0x1000);
	ck_assert_int_eq(a->segments.at[2].codec, LSV_ZSTD);
	ck_assert(a->segments.at[2].size == 5);
	ck_assert(a->segments.at[2].time_ns == 7);
	ck_assert(!lsv_catalog_find(&catalog, 0xbb)->has_lineage);
	lsv_catalog_free(&catalog);
}
END_TEST

START_TEST(a_position_in_both_codecs_is_one_item)
{
	static const char *const names[] = {
		A "snapshots/00000000.snapshot.lz4",
		A "snapshots/00000000.snapshot.zst",
		A "wal/00000000_00000000.wal.lz4",
		A "wal/00000000_00000000.wal.zst",
		NULL,
	};
	struct lsv_catalog catalog;

	read_catalog(names, &catalog);
	ck_assert_uint_eq(catalog.generations.at[0].snapshots.n, 1);
	ck_assert_uint_eq(catalog.generations.at[0].segments.n, 1);
	lsv_catalog_free(&catalog);
}
END_TEST

START_TEST(stock_0_5_is_recognised)
{
	static const char *const names[] = {
		"ltx/0/0000000000000001-0000000000000001.ltx",
		NULL,
	};
	struct lsv_catalog catalog;

	read_catalog(names, &catalog);
	ck_assert(catalog.has_ltx);
	ck_assert_uint_eq(catalog.generations.n, 0);
	lsv_catalog_free(&catalog);
}
END_TEST

START_TEST(a_list_that_fails_is_no_empty_replica)
{
	struct memory_store store;
	auto_client struct lsv_client *client = NULL;
	struct lsv_catalog catalog;

	memory_init(&store);
	memory_client(&store, &client);
	store.fail_at = 0;
	store.error = -EACCES;
	ck_assert_int_eq(lsv_catalog_read(client, &catalog), -EACCES);
	memory_free(&store);
}
END_TEST

UNIT(catalog, objects_sort_into_generations_snapshots_and_segments,
     a_position_in_both_codecs_is_one_item, stock_0_5_is_recognised,
     a_list_that_fails_is_no_empty_replica)
