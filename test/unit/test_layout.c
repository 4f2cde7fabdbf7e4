/* SPDX-License-Identifier: MIT */
#include "replica/format/layout.h"
#include "test/lib/unit.h"

#include <string.h>

#define GEN UINT64_C(0x00c0ffee0badf00d)
#define GEN_DIR "generations/00c0ffee0badf00d/"

static const struct {
	const char *name;
	struct lsv_object_name is;
} ours[] = {
	{GEN_DIR "snapshots/00000000.snapshot.lz4",
         {LSV_OBJECT_SNAPSHOT, LSV_LZ4, {GEN, 0, 0}}},
	{GEN_DIR "snapshots/7fffffff.snapshot.zst",
         {LSV_OBJECT_SNAPSHOT, LSV_ZSTD, {GEN, 0x7fffffff, 0}}},
	{GEN_DIR "wal/00000000_00000000.wal.lz4",
         {LSV_OBJECT_SEGMENT, LSV_LZ4, {GEN, 0, 0}}},
	{GEN_DIR "wal/0000000a_fffffff8.wal.zst",
         {LSV_OBJECT_SEGMENT, LSV_ZSTD, {GEN, 10, 0xfffffff8}}},
	{GEN_DIR "lsvfs/lineage.json",
         {LSV_OBJECT_LINEAGE, LSV_LZ4, {GEN, 0, 0}}},
};

static char *format(const struct lsv_object_name *is)
{
	switch (is->kind) {
	case LSV_OBJECT_SNAPSHOT:
		return lsv_layout_snapshot(is->pos.generation, is->pos.index,
		                           is->codec);
	case LSV_OBJECT_SEGMENT:
		return lsv_layout_segment(&is->pos, is->codec);
	case LSV_OBJECT_LINEAGE:
		return lsv_layout_lineage(is->pos.generation);
	case LSV_OBJECT_LTX:
	case LSV_OBJECT_OTHER:
		break;
	}
	abort();
}

START_TEST(a_name_reads_back_as_it_was_written)
{
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		char *name = format(&ours[i].is);
		struct lsv_object_name got;

		ck_assert_str_eq(name, ours[i].name);
		lsv_layout_parse(name, &got);
		ck_assert_int_eq(got.kind, ours[i].is.kind);
		ck_assert_int_eq(got.codec, ours[i].is.codec);
		ck_assert(got.pos.generation == ours[i].is.pos.generation);
		ck_assert(lsv_pos_compare(&got.pos, &ours[i].is.pos) == 0);
		free(name);
	}
}
END_TEST

START_TEST(a_generation_s_prefix_ends_with_a_slash)
{
	char *prefix = lsv_layout_generation(GEN);

	ck_assert_str_eq(prefix, GEN_DIR);
	free(prefix);
}
END_TEST

START_TEST(anything_else_is_not_ours_to_judge)
{
	static const char *const table[] = {
		"",
		"generations",
		"generations/",
		GEN_DIR,
		GEN_DIR "wal/",
		GEN_DIR "wal/00000000_00000000.wal",
		GEN_DIR "wal/00000000_00000000.wal.lz4.tmp",
		GEN_DIR "wal/00000000_00000000.wal.lz4x",
		GEN_DIR "wal/00000000_00000000.wal.gz",
		GEN_DIR "wal/00000000_000000000.wal.lz4",
		GEN_DIR "wal/00000000_0000000A.wal.lz4",
		GEN_DIR "wal/00000000.wal.lz4",
		GEN_DIR "wal/0000000_00000000.wal.lz4",
		GEN_DIR "wal/.00000000_00000000.wal.lz4",
		GEN_DIR "wal//00000000_00000000.wal.lz4",
		GEN_DIR "wal/00000000/00000000.wal.lz4",
		GEN_DIR "snapshots/00000000.snapshot",
		GEN_DIR "snapshots/00000000.wal.lz4",
		GEN_DIR "snapshots/00000000_00000000.snapshot.lz4",
		GEN_DIR "snapshot/00000000.snapshot.lz4",
		GEN_DIR "lsvfs/lineage.json.tmp",
		GEN_DIR "lsvfs/other.json",
		"generations/00c0ffee0badf00/wal/00000000_00000000.wal.lz4",
		"generations/00C0FFEE0BADF00D/wal/00000000_00000000.wal.lz4",
		"generations/00c0ffee0badf00d",
		"/generations/00c0ffee0badf00d/lsvfs/lineage.json",
		"lsvfs/owner.json",
		"ltx/0/0000000000000001-0000000000000001.ltx.tmp",
		"ltx/00000/0000000000000001-0000000000000001.ltx",
		"ltx//0000000000000001-0000000000000001.ltx",
		"ltx/0/0000000000000001.ltx",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_object_name got;

		lsv_layout_parse(table[i], &got);
		ck_assert_msg(got.kind == LSV_OBJECT_OTHER, "%s", table[i]);
		ck_assert(got.pos.generation == 0);
	}
}
END_TEST

START_TEST(stock_0_5_s_objects_are_recognised)
{
	static const char *const table[] = {
		"ltx/0/0000000000000001-0000000000000001.ltx",
		"ltx/9/0000000000000001-00000000000000ff.ltx",
		"ltx/0002/0000000000000001-00000000000000ff.ltx",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_object_name got;

		lsv_layout_parse(table[i], &got);
		ck_assert_int_eq(got.kind, LSV_OBJECT_LTX);
	}
}
END_TEST

UNIT(layout, a_name_reads_back_as_it_was_written,
     a_generation_s_prefix_ends_with_a_slash,
     anything_else_is_not_ours_to_judge, stock_0_5_s_objects_are_recognised)
