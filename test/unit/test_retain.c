/* SPDX-License-Identifier: MIT */
#include "replica/format/layout.h"
#include "replica/ship/retain.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <stdio.h>
#include <sys/stat.h>

#define CUTOFF 1000

/* A replica in short: "A" a generation; "s3@900" snapshot 3 with its time,
 * "w3:80@950" a segment, "l" lineage.json. */
/* A number and the character that ends it. */
static long number(const char **p, char end)
{
	char *after;
	long value = strtol(*p, &after, 10);

	ck_assert(after != *p && *after == end);
	*p = end ? after + 1 : after;
	return value;
}

static void add(struct lsv_stored_list *list, const char *word, uint64_t gen)
{
	struct lsv_pos pos = {gen, 0, 0};
	struct lsv_stored stored = {0};
	const char *p = word + 1;

	switch (word[0]) {
	case 's':
		pos.index = (uint32_t)number(&p, '@');
		stored.name = lsv_layout_snapshot(gen, pos.index, LSV_LZ4);
		stored.time_ns = number(&p, 0);
		break;
	case 'w':
		pos.index = (uint32_t)number(&p, ':');
		pos.offset = (uint32_t)number(&p, '@');
		stored.name = lsv_layout_segment(&pos, LSV_LZ4);
		stored.time_ns = number(&p, 0);
		break;
	default:
		ck_assert_str_eq(word, "l");
		stored.name = lsv_layout_lineage(gen);
		stored.time_ns = 5000; /* when it was put: of no account */
	}
	ck_assert_int_eq(lsv_stored_list_append(list, stored), 0);
}

static struct lsv_stored_list replica(const char *text)
{
	struct lsv_stored_list list = {0};
	char *copy = strdup(text), *rest = NULL;
	uint64_t gen = 0;

	for (char *word = strtok_r(copy, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		if (word[0] >= 'A' && word[0] <= 'Z')
			gen = (uint64_t)word[0];
		else
			add(&list, word, gen);
	}
	free(copy);
	return list;
}

/* What is doomed, in the same language without times. */
static void describe(const struct lsv_doomed *doomed, char *text, size_t size)
{
	uint64_t gen = 0;
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < doomed->n; i++) {
		struct lsv_object_name what;

		lsv_layout_parse(doomed->at[i], &what);
		if (what.pos.generation != gen)
			n += (size_t)snprintf(text + n, size - n, "%s%c",
			                      gen ? " " : "",
			                      (char)what.pos.generation);
		gen = what.pos.generation;
		if (what.kind == LSV_OBJECT_SNAPSHOT)
			n += (size_t)snprintf(text + n, size - n, " s%u",
			                      what.pos.index);
		else if (what.kind == LSV_OBJECT_SEGMENT)
			n += (size_t)snprintf(text + n, size - n, " w%u:%u",
			                      what.pos.index,
			                      (unsigned)what.pos.offset);
		else
			n += (size_t)snprintf(text + n, size - n, " l");
		ck_assert(n < size);
	}
}

static void check(const char *there, char current, const char *expected)
{
	struct lsv_stored_list list = replica(there);
	struct lsv_doomed doomed = {0};
	char text[1000];

	ck_assert_int_eq(
		lsv_retain_plan(&list, (uint64_t)current, CUTOFF, &doomed), 0);
	describe(&doomed, text, sizeof text);
	ck_assert_str_eq(text, expected);
	free(doomed.at);
	lsv_stored_free(&list);
}

START_TEST(a_snapshot_goes_only_when_a_newer_one_covers_every_retained_moment)
{
	static const struct {
		const char *there, *expected;
	} table[] = {
		{"", ""},
		{"A s0@10 l w0:0@20", ""},
		/* The newer one is younger than the cutoff: it covers nothing
	         * before itself. */
		{"A s0@10 l w0:0@20 w0:80@900 s1@1001 w1:0@1100", ""},
		{"A s0@10 l w0:0@20 w0:80@900 s1@1000 w1:0@1100",
	         "A s0 w0:80 w0:0"},
		{"A s0@10 l w0:0@20 s1@990 w1:0@995 s2@1001", "A s0 w0:0"},
		{"A s0@10 l w0:0@20 s1@980 w1:0@985 s2@990 w2:0@2000",
	         "A s0 s1 w0:0 w1:0"},
		/* Indexes that a rotation began, without a snapshot. */
		{"A s0@10 l w0:0@20 w1:0@30 w1:80@40 w2:0@50 s3@60 w3:0@70 "
	         "w4:0@80",
	         "A s0 w0:0 w1:80 w1:0 w2:0"},
		/* Left over by a removal that was cut short. */
		{"A l w1:0@30 s3@60 w3:0@70", "A w1:0"},
		{"A l s3@60 w3:0@70", ""},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check(table[i].there, 'A', table[i].expected);
}
END_TEST

START_TEST(an_older_generation_goes_whole_when_another_one_covers_it)
{
	static const struct {
		const char *there, *expected;
	} table[] = {
		{"A s0@10 l w0:0@20 w0:80@30 C s0@40 l", "A s0 w0:80 w0:0 l"},
		{"A s0@10 l s1@30 w0:0@20 w1:0@40 C s0@40 l",
	         "A s0 s1 w0:0 w1:0 l"},
		/* Its last state is what the database was at the cutoff. */
		{"A s0@10 l w0:0@20 C s0@1001 l", ""},
		/* It reaches beyond the cutoff. */
		{"A s0@10 l w0:0@1000 C s0@990 l", ""},
		{"A s0@10 l w0:0@999 C s0@999 l", "A s0 w0:0 l"},
		/* One that is not current covers, and is trimmed, too. */
		{"A s0@10 l w0:0@20 B s0@30 l w0:0@40 s1@50 w1:0@60 "
	         "C s0@1100 l",
	         "A s0 w0:0 l B s0 w0:0"},
		/* Covered by one that is covered itself. */
		{"A s0@10 l B s0@20 l C s0@30 l", "A s0 l B s0 l"},
		/* By age, not by name. */
		{"A s0@20 l B s0@10 l C s0@30 l", "B s0 l A s0 l"},
		/* The same moment: one of them stays, whatever the order. */
		{"A s0@10 l B s0@10 l", "A s0 l"},
		/* What a removal that was cut short leaves. */
		{"A l C s0@30 l", "A l"},
		{"A l w0:0@20 C s0@30 l", "A w0:0 l"},
		/* It ended after the only snapshot that could cover it. */
		{"A s0@10 l w0:0@50 C s0@40 l w0:0@2000", ""},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check(table[i].there, 'C', table[i].expected);
}
END_TEST

START_TEST(the_current_generation_never_goes)
{
	check("A s0@10 l w0:0@20 C s0@40 l w0:0@50", 'A', "");
	check("A s0@10 l w0:0@20 s1@30 C s0@40 l w0:0@50", 'A', "A s0 w0:0");
	check("C s0@40 w0:0@50 s1@60", 'C', "C s0 w0:0");
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone_and_covers_nothing)
{
	/* Without lineage.json: stock's. */
	check("A s0@10 w0:0@20 s1@30 w1:0@40 C s0@50 l", 'C', "");
	check("A s0@10 l w0:0@20 B s0@30 w0:0@40 C s0@1100 l", 'C', "");
}
END_TEST

START_TEST(other_objects_are_left_alone)
{
	struct lsv_stored_list list = replica("A s0@10 l w0:0@20 C s0@40 l");
	struct lsv_stored other = {
		strdup("generations/0000000000000041/notes.txt"), 1, false};
	struct lsv_doomed doomed = {0};

	ck_assert_int_eq(lsv_stored_list_append(&list, other), 0);
	ck_assert_int_eq(lsv_retain_plan(&list, 'C', CUTOFF, &doomed), 0);
	ck_assert_uint_eq(doomed.n, 3);
	free(doomed.at);
	lsv_stored_free(&list);
}
END_TEST

static void put_all(struct lsv_client *client,
                    const struct lsv_stored_list *list)
{
	struct lsv_reader *body = lsv_reader_memory("x", 1);

	for (size_t i = 0; i < list->n; i++) {
		ck_assert_int_eq(body->rewind(body), 0);
		ck_assert_int_eq(client->ops->put(client, list->at[i].name,
		                                  body, list->at[i].time_ns,
		                                  LSV_PUT_NEW),
		                 0);
	}
	lsv_reader_close(body);
}

START_TEST(a_replica_is_trimmed_in_order)
{
	auto_scratch char *dir = scratch_enter();
	auto_client struct lsv_client *client = NULL;
	struct lsv_stored_list list = replica(
		"A s0@10 l w0:0@20 C s0@40 l w0:0@50 s1@60 w1:0@2000");
	struct lsv_stored_list left = {0};
	const struct lsv_retention retention = {"catalogue", 0600, 'C', CUTOFF};
	size_t n_removed;

	ck_assert_int_eq(lsv_client_file("replica", &client), 0);
	put_all(client, &list);
	ck_assert_int_eq(lsv_retain(client, &retention, &n_removed), 0);
	ck_assert_uint_eq(n_removed, 5);
	ck_assert_int_eq(lsv_retain_list(client, &left), 0);
	ck_assert_uint_eq(left.n, list.n - 5);
	/* And no more the next time. */
	ck_assert_int_eq(lsv_retain(client, &retention, &n_removed), 0);
	ck_assert_uint_eq(n_removed, 0);
	lsv_stored_free(&left);
	lsv_stored_free(&list);
}
END_TEST

static int remove_twice(struct lsv_client *client, const char *name)
{
	int *n = (int *)client->url;

	(void)name;
	return ++*n <= 2 ? 0 : -EACCES;
}

START_TEST(a_removal_that_fails_ends_it)
{
	static const struct lsv_client_ops ops = {.remove = remove_twice};
	const char *names[] = {"a", "b", "c", "d"};
	int n = 0;
	struct lsv_client client = {.ops = &ops, .url = (char *)&n};
	const struct lsv_doomed doomed = {names, 4, 4};
	size_t n_removed;

	ck_assert_int_eq(lsv_retain_remove(&client, &doomed, &n_removed),
	                 -EACCES);
	ck_assert_uint_eq(n_removed, 2);
	ck_assert_int_eq(n, 3);
}
END_TEST

/* ---- What it asks of a replica ---- */

static char said[300];

static int say_one(struct lsv_client *client, const char *name)
{
	size_t n = strlen(said);

	(void)client;
	snprintf(said + n, sizeof said - n, "%s | ", strrchr(name, '/') + 1);
	return 0;
}

static int say_some(struct lsv_client *client, const char *const *names,
                    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		say_one(client, names[i]);
		if (i + 1 < n)
			said[strlen(said) - 2] = 0;
	}
	return 0;
}

#define G "generations/00000000000000a0/"
#define H "generations/00000000000000b0/"

/* I9: what has to be gone before something else goes before it. */
START_TEST(what_needs_no_order_goes_at_once)
{
	static const struct lsv_client_ops ops = {.remove = say_one,
	                                          .remove_some = say_some};
	const char *names[] = {
		G "snapshots/00000000.snapshot.lz4",
		G "snapshots/00000002.snapshot.lz4",
		G "wal/00000000_00002000.wal.lz4",
		G "wal/00000000_00001000.wal.lz4",
		G "wal/00000000_00000000.wal.lz4",
		G "wal/00000001_00001000.wal.lz4",
		G "wal/00000001_00000000.wal.lz4",
		G "lsvfs/lineage.json",
		H "snapshots/00000000.snapshot.lz4",
	};
	struct lsv_client client = {.ops = &ops};
	const struct lsv_doomed doomed = {names, 9, 9};
	size_t n_removed;

	said[0] = 0;
	ck_assert_int_eq(lsv_retain_remove(&client, &doomed, &n_removed), 0);
	ck_assert_uint_eq(n_removed, 9);
	ck_assert_str_eq(said, "00000000.snapshot.lz4 00000002.snapshot.lz4 | "
	                       "00000000_00002000.wal.lz4 "
	                       "00000000_00001000.wal.lz4 | "
	                       "00000000_00000000.wal.lz4 "
	                       "00000001_00001000.wal.lz4 | "
	                       "00000001_00000000.wal.lz4 | lineage.json | "
	                       "00000000.snapshot.lz4 | ");
}
END_TEST

static int n_lists, n_removes;

static int count_list(struct lsv_client *client, const char *prefix,
                      lsv_list_fn *each, void *arg)
{
	struct lsv_stored_list *there = (void *)client->url;
	int r = 0;

	(void)prefix;
	n_lists++;
	for (size_t i = 0; i < there->n && r == 0; i++)
		r = each(arg,
		         &(struct lsv_object){.name = there->at[i].name,
		                              .time_ns = there->at[i].time_ns});
	return r;
}

static int count_remove(struct lsv_client *client, const char *name)
{
	(void)client;
	(void)name;
	n_removes++;
	return 0;
}

START_TEST(a_replica_is_listed_once_and_never_again)
{
	static const struct lsv_client_ops ops = {.list = count_list,
	                                          .remove = count_remove};
	auto_scratch char *dir = scratch_enter();
	struct lsv_stored_list list = replica(
		"A s0@10 l w0:0@20 C s0@40 l w0:0@50");
	struct lsv_client client = {.ops = &ops, .url = (char *)&list};
	struct lsv_retention retention = {"catalogue", 0600, 'C', 0};
	char *names[] = {lsv_layout_snapshot('C', 1, LSV_LZ4),
	                 lsv_layout_snapshot('C', 2, LSV_LZ4)};
	size_t n_removed;

	ck_assert_int_eq(lsv_retain(&client, &retention, &n_removed), 0);
	ck_assert_int_eq(n_lists, 1);
	ck_assert_uint_eq(n_removed, 0);
	/* What was put since, by the catalogue; a put without an answer lets
	 * nothing go. */
	ck_assert_int_eq(lsv_catalogue_note("catalogue", LSV_CATALOGUE_PUTTING,
	                                    names[0], 60),
	                 0);
	retention.cutoff_ns = CUTOFF;
	ck_assert_int_eq(lsv_retain(&client, &retention, &n_removed), 0);
	ck_assert_uint_eq(n_removed, 3); /* A, covered by C's first */
	ck_assert_int_eq(lsv_catalogue_note("catalogue", LSV_CATALOGUE_PUT,
	                                    names[1], 70),
	                 0);
	ck_assert_int_eq(lsv_retain(&client, &retention, &n_removed), 0);
	ck_assert_uint_eq(n_removed, 3); /* all that is below snapshot 2 */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(lsv_retain(&client, &retention, &n_removed),
		                 0);
		ck_assert_uint_eq(n_removed, 0);
	}
	ck_assert_int_eq(n_lists, 1);
	ck_assert_int_eq(n_removes, 6);
	/* Lost: made anew. */
	ck_assert_int_eq(unlink("catalogue"), 0);
	ck_assert_int_eq(lsv_retain(&client, &retention, &n_removed), 0);
	ck_assert_int_eq(n_lists, 2);
	free(names[0]);
	free(names[1]);
	lsv_stored_free(&list);
}
END_TEST

UNIT(retain, a_replica_is_listed_once_and_never_again,
     a_snapshot_goes_only_when_a_newer_one_covers_every_retained_moment,
     an_older_generation_goes_whole_when_another_one_covers_it,
     the_current_generation_never_goes,
     what_is_not_ours_is_left_alone_and_covers_nothing,
     other_objects_are_left_alone, a_replica_is_trimmed_in_order,
     a_removal_that_fails_ends_it, what_needs_no_order_goes_at_once)
