/* SPDX-License-Identifier: MIT */

/*
 * Restore over the golden replica, held in memory: each request to it may
 * fail, and a restore may be cancelled at each of its steps.
 */

#include "replica/base/log.h"
#include "replica/restore/restore.h"
#include "test/lib/client_memory.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_TXID 9

static struct memory_store objects;
static struct lsv_client *replica;

static int copy_object(void *arg, const struct lsv_object *object)
{
	struct lsv_client *files = arg;
	auto_buf struct lsv_buf buf = {0};
	auto_writer struct lsv_writer *into = lsv_writer_buf(&buf);
	auto_reader struct lsv_reader *body = NULL;
	int r = files->ops->get(files, object->name, NULL, into);

	body = lsv_reader_memory(buf.data, buf.n);
	return r < 0 ? r
	             : replica->ops->put(replica, object->name, body,
	                                 object->time_ns, LSV_PUT_NEW);
}

static void unpack(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("tar", "tar", "-xzf", path, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* Leaves the current folder empty but for expected.db. */
static void load_golden(void)
{
	auto_client struct lsv_client *files = NULL;
	const char *top = getenv("top_srcdir");
	auto_free char *path = lsv_path_join(top ? top : ".",
	                                     "test/golden/ours-good.tar.gz");

	memory_init(&objects);
	memory_client(&objects, &replica);
	unpack(path);
	ck_assert_int_eq(lsv_client_open("replica", NULL, &files), 0);
	ck_assert_int_eq(files->ops->list(files, "", copy_object, files), 0);
	ck_assert_int_eq(lsv_remove_tree("replica"), 0);
	ck_assert_uint_ge(objects.objects.n, 8);
	lsv_log_set_level(LSV_LOG_OFF);
}

static void unload(void)
{
	lsv_client_close(replica);
	memory_free(&objects);
}

static int restore(const struct lsv_target *target, unsigned parallelism,
                   const volatile sig_atomic_t *cancelled,
                   struct lsv_restored *restored)
{
	const struct lsv_restore_options options = {
		.output = "out.db",
		.parallelism = parallelism,
		.cancelled = cancelled,
	};
	struct lsv_catalog catalog = {0};
	struct lsv_plan plan;
	int r = lsv_catalog_read(replica, &catalog);

	if (r == 0)
		r = lsv_plan_make(replica, &catalog, target, &plan);
	if (r == 0)
		r = lsv_restore(replica, &plan, &options, restored);
	lsv_catalog_free(&catalog);
	return r;
}

static void check_same(void)
{
	auto_free char *a = NULL, *b = NULL;
	size_t n = 0, m = 0;

	ck_assert_int_eq(lsv_file_read("out.db", SIZE_MAX, &a, &n), 0);
	ck_assert_int_eq(lsv_file_read("expected.db", SIZE_MAX, &b, &m), 0);
	ck_assert_uint_eq(n, m);
	ck_assert_int_eq(memcmp(a, b, n), 0);
	ck_assert_int_eq(unlink("out.db"), 0);
}

/* Fails request 0, 1, 2, ... until none is left to fail. */
static int fail_each(const struct lsv_target *target, unsigned parallelism)
{
	static const int errors[] = {-EIO, -EACCES, -EAGAIN};
	struct lsv_restored restored;
	int n = 0;

	for (;; n++) {
		int r;

		objects.n_calls = 0;
		objects.fail_at = n;
		objects.error = errors[n % 3];
		r = restore(target, parallelism, NULL, &restored);
		if (r == 0)
			break;
		ck_assert_int_eq(r, objects.error);
		ck_assert_int_eq(scratch_count("."), 1);
	}
	ck_assert_int_le(objects.n_calls, n);
	return n;
}

START_TEST(every_request_may_fail_and_nothing_is_left)
{
	auto_scratch char *dir = scratch_enter();
	const struct lsv_target latest = {.kind = LSV_TARGET_LATEST};
	const struct lsv_target early = {.kind = LSV_TARGET_TXID, .txid = 6};

	load_golden();
	for (unsigned parallelism = 1; parallelism <= 4; parallelism += 3) {
		ck_assert_int_ge(fail_each(&latest, parallelism), 7);
		check_same();
		ck_assert_int_ge(fail_each(&early, parallelism), 10);
		ck_assert_int_eq(unlink("out.db"), 0);
	}
	unload();
}
END_TEST

START_TEST(a_cancelled_restore_leaves_nothing)
{
	auto_scratch char *dir = scratch_enter();
	const struct lsv_target latest = {.kind = LSV_TARGET_LATEST};
	static const volatile sig_atomic_t cancelled = SIGINT;
	struct lsv_restored restored;

	load_golden();
	ck_assert_int_eq(restore(&latest, 2, &cancelled, &restored),
	                 -ECANCELED);
	ck_assert_int_eq(scratch_count("."), 1);
	unload();
}
END_TEST

START_TEST(an_object_that_goes_away_is_no_damage)
{
	auto_scratch char *dir = scratch_enter();
	const struct lsv_target latest = {.kind = LSV_TARGET_LATEST};
	const struct lsv_restore_options options = {.output = "out.db",
	                                            .parallelism = 1};
	struct lsv_restored restored;
	struct lsv_catalog catalog;
	struct lsv_plan plan;

	load_golden();
	ck_assert_int_eq(lsv_catalog_read(replica, &catalog), 0);
	ck_assert_int_eq(lsv_plan_make(replica, &catalog, &latest, &plan), 0);
	ck_assert_int_eq(replica->ops->remove(replica, plan.segments[0].name),
	                 0);
	ck_assert_int_eq(lsv_restore(replica, &plan, &options, &restored),
	                 -ESTALE);
	ck_assert_int_eq(scratch_count("."), 1);
	lsv_catalog_free(&catalog);
	unload();
}
END_TEST

/* As of a directory that is read while names are added. */
START_TEST(a_name_that_the_list_missed_is_no_damage)
{
	auto_scratch char *dir = scratch_enter();
	const struct lsv_target targets[] = {
		{.kind = LSV_TARGET_LATEST},
		{.kind = LSV_TARGET_INDEX, .index = 1},
	};
	struct lsv_catalog catalog;
	struct lsv_items *items;
	struct lsv_item missed;
	struct lsv_plan plan;

	load_golden();
	ck_assert_int_eq(lsv_catalog_read(replica, &catalog), 0);
	items = &catalog.generations.at[0].segments;
	ck_assert_uint_eq(items->at[items->n - 2].pos.index, 2);
	missed = items->at[items->n - 2];
	items->at[items->n - 2] = items->at[items->n - 1];
	items->n--;
	catalog.generations.at[0].snapshots.n--;
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(
			lsv_plan_make(replica, &catalog, &targets[i], &plan),
			-ESTALE);
	/* It is damage where it is not there now, either. */
	ck_assert_int_eq(replica->ops->remove(replica, missed.name), 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(
			lsv_plan_make(replica, &catalog, &targets[i], &plan),
			-EBADMSG);
	catalog.generations.at[0].snapshots.n++;
	free(missed.name);
	lsv_catalog_free(&catalog);
	unload();
}
END_TEST

/* One bit of one object at a time: refused, or it made no difference. */
static void flip_each_bit(struct lsv_buf *bytes, const char *name,
                          int *n_refused)
{
	const struct lsv_target latest = {.kind = LSV_TARGET_LATEST};
	struct lsv_restored restored;

	for (size_t i = 0; i < bytes->n; i++) {
		uint8_t bit = (uint8_t)(1U << i % 8);
		int r;

		bytes->data[i] ^= bit;
		r = restore(&latest, 1, NULL, &restored);
		if (r == 0) {
			ck_assert_uint_eq(restored.txid, LAST_TXID);
			check_same();
		} else {
			ck_assert_int_eq(scratch_count("."), 1);
			++*n_refused;
		}
		bytes->data[i] ^= bit;
	}
	ck_assert_msg(*n_refused > 0, "%s", name);
}

START_TEST(no_flipped_bit_gives_another_database)
{
	auto_scratch char *dir = scratch_enter();
	int n_refused = 0, n = 0;

	load_golden();
	for (size_t i = 0; i < objects.objects.n; i++) {
		struct memory_object *object = &objects.objects.at[i];

		/* What a restore of the latest reads. */
		if (!strstr(object->name, "/00000002"))
			continue;
		n += (int)object->bytes.n;
		flip_each_bit(&object->bytes, object->name, &n_refused);
	}
	/* All but a few bytes of the LZ4 frames matter. */
	ck_assert_int_gt(n_refused, n * 9 / 10);
	unload();
}
END_TEST

UNIT(restore, every_request_may_fail_and_nothing_is_left,
     a_cancelled_restore_leaves_nothing, an_object_that_goes_away_is_no_damage,
     a_name_that_the_list_missed_is_no_damage,
     no_flipped_bit_gives_another_database)
