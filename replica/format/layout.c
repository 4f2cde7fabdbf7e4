/* SPDX-License-Identifier: MIT */
#include "replica/format/layout.h"

#include "replica/base/fileio.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *const suffixes[] = {[LSV_LZ4] = "lz4", [LSV_ZSTD] = "zst"};

char *lsv_layout_generation(uint64_t generation)
{
	return lsv_sprintf(LSV_LAYOUT_GENERATIONS "%016" PRIx64 "/",
	                   generation);
}

char *lsv_layout_snapshot(uint64_t generation, uint32_t index,
                          enum lsv_codec codec)
{
	return lsv_sprintf(LSV_LAYOUT_GENERATIONS
	                   "%016" PRIx64 "/snapshots/%08" PRIx32 ".snapshot.%s",
	                   generation, index, suffixes[codec]);
}

char *lsv_layout_segment(const struct lsv_pos *pos, enum lsv_codec codec)
{
	/* Stock tools read eight digits; the shadow rotates long before. */
	assert(pos->offset <= UINT32_MAX);
	return lsv_sprintf(
		LSV_LAYOUT_GENERATIONS "%016" PRIx64 "/wal/%08" PRIx32
				       "_%08" PRIx64 ".wal.%s",
		pos->generation, pos->index, pos->offset, suffixes[codec]);
}

char *lsv_layout_lineage(uint64_t generation)
{
	return lsv_sprintf(LSV_LAYOUT_GENERATIONS "%016" PRIx64
	                                          "/lsvfs/lineage.json",
	                   generation);
}

/* Each of these eats what it names from the front of *p, or nothing. */

static bool eat(const char **p, const char *literal)
{
	size_t n = strlen(literal);

	if (strncmp(*p, literal, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool eat_generation(const char **p, uint64_t *generation)
{
	if (lsv_generation_parse(*p, strnlen(*p, 16), generation) < 0)
		return false;
	*p += 16;
	return true;
}

static bool eat_hex32(const char **p, uint32_t *value)
{
	if (lsv_hex32_parse(*p, value) < 0)
		return false;
	*p += 8;
	return true;
}

/* All that is left. */
static bool eat_suffix(const char **p, enum lsv_codec *codec)
{
	for (enum lsv_codec i = LSV_LZ4; i <= LSV_ZSTD; i++) {
		if (strcmp(*p, suffixes[i]) == 0) {
			*codec = i;
			return true;
		}
	}
	return false;
}

static bool parse_snapshot(const char *p, struct lsv_object_name *name)
{
	name->kind = LSV_OBJECT_SNAPSHOT;
	return eat(&p, "snapshots/") && eat_hex32(&p, &name->pos.index) &&
	       eat(&p, ".snapshot.") && eat_suffix(&p, &name->codec);
}

static bool parse_segment(const char *p, struct lsv_object_name *name)
{
	uint32_t offset = 0;
	bool ok = eat(&p, "wal/") && eat_hex32(&p, &name->pos.index) &&
	          eat(&p, "_") && eat_hex32(&p, &offset) && eat(&p, ".wal.") &&
	          eat_suffix(&p, &name->codec);

	name->kind = LSV_OBJECT_SEGMENT;
	name->pos.offset = offset;
	return ok;
}

static bool parse_lineage(const char *p, struct lsv_object_name *name)
{
	name->kind = LSV_OBJECT_LINEAGE;
	return strcmp(p, "lsvfs/lineage.json") == 0;
}

/* Stock 0.5: "ltx/<level>/<min txid>-<max txid>.ltx". */
static bool parse_ltx(const char *p, struct lsv_object_name *name)
{
	size_t level;
	uint64_t txid;

	name->kind = LSV_OBJECT_LTX;
	if (!eat(&p, "ltx/"))
		return false;
	level = strspn(p, "0123456789abcdef");
	p += level;
	return level > 0 && level <= 4 && eat(&p, "/") &&
	       eat_generation(&p, &txid) && eat(&p, "-") &&
	       eat_generation(&p, &txid) && strcmp(p, ".ltx") == 0;
}

typedef bool parse_fn(const char *p, struct lsv_object_name *name);

static bool parse(const char *name, struct lsv_object_name *parsed)
{
	static parse_fn *const below_generation[] = {
		parse_segment,
		parse_snapshot,
		parse_lineage,
	};
	struct lsv_object_name none = {0};
	uint64_t generation;

	if (parse_ltx(name, parsed))
		return true;
	if (!eat(&name, LSV_LAYOUT_GENERATIONS) ||
	    !eat_generation(&name, &generation) || !eat(&name, "/"))
		return false;
	for (size_t i = 0; i < 3; i++) {
		*parsed = none;
		parsed->pos.generation = generation;
		if (below_generation[i](name, parsed))
			return true;
	}
	return false;
}

void lsv_layout_parse(const char *name, struct lsv_object_name *parsed)
{
	struct lsv_object_name found = {0};

	if (!parse(name, &found))
		found = (struct lsv_object_name){.kind = LSV_OBJECT_OTHER};
	*parsed = found;
}
