/* SPDX-License-Identifier: MIT */

/* What people and file systems write: times, durations, options, URLs, names
 * of objects, notes.  The first byte says which. */

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/format/layout.h"
#include "replica/format/note.h"
#include "replica/ship/config.h"
#include "replica/store/url.h"
#include "test/fuzz/fuzz.h"

#include <string.h>

static void read_time(const char *text)
{
	char again[LSV_TIME_TEXT_SIZE];
	int64_t ns, back;

	if (lsv_time_parse(text, &ns) < 0)
		return;
	lsv_time_format(ns, again);
	must(lsv_time_parse(again, &back) == 0 && back == ns);
}

static void read_duration(const char *text)
{
	int64_t ns;

	must(lsv_duration_parse(text, &ns) < 0 || ns >= 0);
}

static void read_options(const char *text)
{
	struct lsv_config config;
	char *bad = NULL;
	int r;

	lsv_config_init(&config);
	r = lsv_config_set_words(&config, text, &bad);
	must(r == 0 ? !bad : true);
	free(bad);
	lsv_config_free(&config);
}

static void read_url(const char *text)
{
	char *path = NULL;

	must(lsv_url_file_path(text, &path) < 0 || path[0] == '/');
	free(path);
	free(lsv_config_expand(text, "/srv/a%b/app.db"));
}

static void read_name(const char *text)
{
	struct lsv_object_name name;
	auto_free char *again = NULL;

	lsv_layout_parse(text, &name);
	if (name.kind == LSV_OBJECT_SNAPSHOT)
		again = lsv_layout_snapshot(name.pos.generation, name.pos.index,
		                            name.codec);
	else if (name.kind == LSV_OBJECT_SEGMENT)
		again = lsv_layout_segment(&name.pos, name.codec);
	must(!again || strcmp(again, text) == 0);
}

/* What is read of a note is the same when it is written again. */
static void read_note(const char *text)
{
	struct lsv_buf note = {(uint8_t *)text, strlen(text), 0};
	auto_buf struct lsv_buf copy = {0};
	auto_free char *path = NULL, *again = NULL;
	struct lsv_note_field field = {"path", NULL};

	if (lsv_note_get(&note, "path", &path) < 0)
		return;
	field.value = path;
	must(lsv_note_encode(&field, 1, &copy) == 0);
	must(lsv_note_get(&copy, "path", &again) == 0);
	must(strcmp(again, path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static void (*const read_as[])(const char *text) = {
		read_time, read_duration, read_options,
		read_url,  read_name,     read_note,
	};
	auto_free char *text = NULL;

	if (n < 1)
		return 0;
	lsv_log_set_level(LSV_LOG_OFF);
	text = strndup((const char *)bytes + 1, n - 1);
	must(text);
	read_as[bytes[0] % (sizeof read_as / sizeof *read_as)](text);
	return 0;
}
