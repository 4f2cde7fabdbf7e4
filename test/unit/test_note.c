/* SPDX-License-Identifier: MIT */
#include "replica/format/note.h"
#include "test/lib/unit.h"

#include <string.h>

static struct lsv_buf note_of(const char *text)
{
	struct lsv_buf note = {0};

	ck_assert_int_eq(lsv_buf_append(&note, text, strlen(text)), 0);
	return note;
}

START_TEST(any_text_reads_back_as_it_was_written)
{
	static const char *const table[] = {
		"",
		"/srv/app.db",
		"with \"quotes\", \\ and \n lines",
		"100% and %20 and %",
		"gr\xc3\xbc\xc3\x9f dich",
		"not utf-8: \xff\xfe\x80",
		"half of one: \xc3",
		"\x01\x1f\x7f",
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_note_field field = {"path", table[i]};
		struct lsv_buf note = {0};
		char *value;

		ck_assert_int_eq(lsv_note_encode(&field, 1, &note), 0);
		ck_assert_int_eq(lsv_note_get(&note, "path", &value), 0);
		ck_assert_str_eq(value, table[i]);
		free(value);
		lsv_buf_free(&note);
	}
}
END_TEST

START_TEST(a_note_is_what_a_person_would_write)
{
	static const struct lsv_note_field fields[] = {
		{"host", "a"}, {"parent", NULL}, {"path", "/srv/\xc3\xbc.db"}};
	struct lsv_buf note = {0};
	char *value;

	ck_assert_int_eq(lsv_note_encode(fields, 3, &note), 0);
	ck_assert_int_eq(lsv_buf_append(&note, "", 1), 0);
	ck_assert_str_eq((char *)note.data, "{\n"
	                                    "  \"host\": \"a\",\n"
	                                    "  \"path\": \"/srv/\xc3\xbc.db\"\n"
	                                    "}\n");
	note.n--;
	ck_assert_int_eq(lsv_note_get(&note, "parent", &value), -ENOENT);
	lsv_buf_free(&note);
}
END_TEST

START_TEST(other_json_is_read_as_far_as_it_says_something)
{
	static const struct {
		const char *text;
		int r;
		const char *value;
	} table[] = {
		{"{\"a\":\"x\"}", 0, "x"},
		{" { \"b\": [1, {\"a\": 2}], \"a\" : \"\\u0041\" } ", 0, "A"},
		{"{\"b\":\"x\"}", -ENOENT, NULL},
		{"{\"a\":1}", -EBADMSG, NULL},
		{"[\"a\"]", -EBADMSG, NULL},
		{"\"a\"", -EBADMSG, NULL},
		{"", -EBADMSG, NULL},
		{"{\"a\":\"x\"", -EBADMSG, NULL},
		{"{\"a\":\"x\"} {", -EBADMSG, NULL},
		{"<Error/>", -EBADMSG, NULL},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lsv_buf note = note_of(table[i].text);
		char *value = NULL;

		ck_assert_msg(lsv_note_get(&note, "a", &value) == table[i].r,
		              "%s", table[i].text);
		if (table[i].value)
			ck_assert_str_eq(value, table[i].value);
		else
			ck_assert_ptr_null(value);
		free(value);
		lsv_buf_free(&note);
	}
}
END_TEST

START_TEST(this_machine_has_a_name)
{
	struct lsv_host host;

	lsv_host_read(&host);
	ck_assert(host.name[0]);
	ck_assert_ptr_null(strchr(host.machine_id, '\n'));
}
END_TEST

UNIT(note, any_text_reads_back_as_it_was_written,
     a_note_is_what_a_person_would_write,
     other_json_is_read_as_far_as_it_says_something, this_machine_has_a_name)
