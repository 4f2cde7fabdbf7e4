/* SPDX-License-Identifier: MIT */
#include "replica/base/fileio.h"
#include "replica/format/layout.h"
#include "replica/format/note.h"
#include "replica/ship/owner.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <sys/stat.h>

static const uint8_t ours[LSV_LINEAGE_SIZE] = "ours............";
static const uint8_t theirs[LSV_LINEAGE_SIZE] = "theirs..........";

static int check_of(struct lsv_client *client, const char *db_path,
                    uint64_t origin, char why[LSV_OWNER_WHY_SIZE])
{
	const struct lsv_owner_self self = {ours, 0xabc, 0xab0, origin,
	                                    db_path};

	return lsv_owner_check(client, &self, why);
}

static int check(struct lsv_client *client, const char *db_path,
                 char why[LSV_OWNER_WHY_SIZE])
{
	return check_of(client, db_path, 0, why);
}

/* Puts an owner.json as another lineage would. */
static void put_note(struct lsv_client *client, const char *host,
                     const char *machine_id, const char *path)
{
	char lineage[LSV_LINEAGE_TEXT_SIZE];
	struct lsv_buf note = {0};
	struct lsv_reader *body;

	lsv_lineage_format(theirs, lineage);
	const struct lsv_note_field fields[] = {
		{"lineage", lineage},
		{"host", host},
		{"machine-id", machine_id},
		{"path", path},
		{"since", "2026-01-01T00:00:00.000000000Z"},
	};
	ck_assert_int_eq(lsv_note_encode(fields, 5, &note), 0);
	body = lsv_reader_memory(note.data, note.n);
	ck_assert_int_eq(client->ops->put(client, LSV_LAYOUT_OWNER, body, 1,
	                                  LSV_PUT_REPLACE),
	                 0);
	lsv_reader_close(body);
	lsv_buf_free(&note);
}

START_TEST(a_replica_without_an_owner_is_free_and_ours_after_a_put)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE] = "";

	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	ck_assert_int_eq(check(client, "/srv/a.db", why), 0);
	ck_assert_int_eq(lsv_owner_put(client, ours, 0xabc, "/srv/a.db"), 0);
	ck_assert_int_eq(check(client, "/srv/a.db", why), 0);
	ck_assert_int_eq(lsv_owner_put(client, ours, 0xabd, "/srv/a.db"), 0);
	ck_assert_int_eq(check(client, "/srv/a.db", why), 0);
	ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(another_lineage_is_refused_unless_it_is_a_left_over)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	struct lsv_host host;
	char why[LSV_OWNER_WHY_SIZE];
	const struct {
		const char *host, *machine_id, *path;
		int r;
	} table[] = {
		/* the same database, its local folder lost */
		{host.name, host.machine_id, "/srv/a.db", 0},
		/* a database that is gone */
		{host.name, host.machine_id, "/nonexistent/b.db", 0},
		{host.name, host.machine_id, "here.db/below", 0},
		/* one that is there */
		{host.name, host.machine_id, "here.db", -EPERM},
		/* another machine: what is gone there cannot be seen here */
		{"elsewhere", host.machine_id, "/srv/a.db", -EPERM},
		{host.name, "0", "/srv/a.db", -EPERM},
		{"elsewhere", "0", "/nonexistent/b.db", -EPERM},
		{host.name, host.machine_id, "", -EPERM},
	};

	lsv_host_read(&host);
	ck_assert_int_eq(lsv_file_replace("here.db", "x", 1, 0600), 0);
	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		put_note(client, table[i].host, table[i].machine_id,
		         table[i].path);
		ck_assert_msg(check(client, "/srv/a.db", why) == table[i].r,
		              "row %zu", i);
	}
}
END_TEST

START_TEST(a_refusal_names_both_hosts_and_paths)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE];
	struct lsv_host host;

	lsv_host_read(&host);
	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	put_note(client, "elsewhere", "0", "/srv/theirs.db");
	ck_assert_int_eq(check(client, "/srv/a.db", why), -EPERM);
	ck_assert_ptr_nonnull(strstr(why, "elsewhere"));
	ck_assert_ptr_nonnull(strstr(why, "/srv/theirs.db"));
	ck_assert_ptr_nonnull(strstr(why, host.name));
	ck_assert_ptr_nonnull(strstr(why, "/srv/a.db"));
	ck_assert_ptr_nonnull(strstr(why, "lsvfs sync -takeover"));
}
END_TEST

START_TEST(a_copy_may_go_on_until_the_other_begins_a_generation)
{
	static const struct {
		uint64_t generation;
		int r;
	} table[] = {
		{0xabc, 1},      /* moved here, or copied */
		{0xab0, 1},      /* and begun anew here */
		{0xabd, -EPERM}, /* begun anew there */
	};
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE];

	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		ck_assert_int_eq(lsv_owner_put(client, ours,
		                               table[i].generation,
		                               "/srv/b.db"),
		                 0);
		why[0] = 0;
		ck_assert_int_eq(check(client, "/srv/a.db", why), table[i].r);
		ck_assert_ptr_nonnull(strstr(why, "/srv/b.db"));
		ck_assert_ptr_nonnull(strstr(why, "/srv/a.db"));
	}
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
	static const char *const table[] = {"", "{}", "garbage",
	                                    "{\"lineage\": 3}"};
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE];

	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	ck_assert_int_eq(lsv_mkdirs("replica/lsvfs", 0700), 0);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		ck_assert_int_eq(lsv_file_replace("replica/lsvfs/owner.json",
		                                  table[i], strlen(table[i]),
		                                  0600),
		                 0);
		ck_assert_msg(check(client, "/srv/a.db", why) == -EPERM, "%s",
		              table[i]);
		ck_assert_ptr_nonnull(strstr(why, "lsvfs/owner.json"));
	}
}
END_TEST

START_TEST(a_replica_that_cannot_be_read_is_no_refusal)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE];

	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	/* A directory loop: an error whoever runs this. */
	ck_assert_int_eq(symlink("replica", "replica"), 0);
	ck_assert_int_eq(check(client, "/srv/a.db", why), -ELOOP);
}
END_TEST

START_TEST(what_was_restored_from_the_owner_goes_on_where_it_was)
{
	static const struct {
		const char *path;
		uint64_t parent;
		int r;
	} cases[] = {
		{"/srv/a.db", 0xabc, 0},
		{"/srv/a.db", 0xabd, -EPERM}, /* from an older generation */
		{"/srv/a.db", 0, -EPERM},     /* not restored at all */
		{"/srv/b.db", 0xabc, -EPERM}, /* a copy elsewhere */
	};
	static const char note[] =
		"{\"lineage\": \"00112233445566778899aabbccddeeff\", "
		"\"generation\": \"0000000000000abc\", "
		"\"host\": \"another\", \"machine-id\": \"\", "
		"\"path\": \"/srv/a.db\", \"since\": \"then\"}";
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	char why[LSV_OWNER_WHY_SIZE];

	ck_assert_int_eq(mkdir("replica", 0700), 0);
	ck_assert_int_eq(mkdir("replica/lsvfs", 0700), 0);
	ck_assert_int_eq(lsv_file_replace("replica/" LSV_LAYOUT_OWNER, note,
	                                  sizeof note - 1, 0600),
	                 0);
	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(check_of(client, cases[i].path, cases[i].parent,
		                       why) == cases[i].r,
		              "case %zu", i);
}
END_TEST

UNIT(owner, what_was_restored_from_the_owner_goes_on_where_it_was,
     a_replica_without_an_owner_is_free_and_ours_after_a_put,
     another_lineage_is_refused_unless_it_is_a_left_over,
     a_refusal_names_both_hosts_and_paths,
     a_copy_may_go_on_until_the_other_begins_a_generation,
     what_cannot_be_read_is_refused,
     a_replica_that_cannot_be_read_is_no_refusal)
