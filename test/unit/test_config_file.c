/* SPDX-License-Identifier: MIT */
#include "replica/base/clock.h"
#include "test/lib/config_fixture.h"
#include "test/lib/scratch.h"
#include "test/lib/unit.h"

#include <sys/stat.h>

#define HOUR (3600 * LSV_NS_PER_S)

/* As the guide of 0.3 shows it for MinIO. */
static const char guide[] = "access-key-id: minioadmin\n"
			    "secret-access-key: minioadmin\n"
			    "\n"
			    "dbs:\n"
			    "  - path: /data/fruits.db\n"
			    "    replicas:\n"
			    "      - type: s3\n"
			    "        bucket: mybkt\n"
			    "        path: fruits.db\n"
			    "        endpoint: http://localhost:9000\n"
			    "        force-path-style: true\n";

/* One replica of one database. */
static void check_guide(const struct lsv_config *config)
{
	const struct lsv_replica_config *replica = &config->replicas[0];

	ck_assert_uint_eq(config->n_replicas, 1);
	ck_assert_str_eq(replica->url, "s3://mybkt/fruits.db");
	ck_assert_str_eq(replica->options.access_key_id, "minioadmin");
	ck_assert_str_eq(replica->options.secret_access_key, "minioadmin");
	ck_assert_str_eq(replica->options.endpoint, "http://localhost:9000");
	ck_assert(config->force_wal);
}

START_TEST(the_guides_file_is_read)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(guide);
	struct lsv_config config;

	ck_assert_uint_eq(file->n_dbs, 1);
	ck_assert_uint_eq(file->notes.n, 0);
	ck_assert_int_eq(lsv_config_file_find(file, "/data/other.db", &config),
	                 -ENOENT);
	ck_assert_int_eq(lsv_config_file_find(file, ":memory:", &config),
	                 -ENOENT);
	ck_assert_int_eq(lsv_config_file_find(file, "/data/fruits.db", &config),
	                 0);
	check_guide(&config);
	lsv_config_free(&config);
}
END_TEST

/* As 0.5 writes it: one replica, snapshots in a section, defaults for all. */
static const char newer[] = "region: eu-central-1\n"
			    "bucket: everywhere\n"
			    "sync-interval: 5s\n"
			    "snapshot: {interval: 1h, retention: 72h}\n"
			    "levels:\n"
			    "  - interval: 5m\n"
			    "  - interval: 1h\n"
			    "logging: {level: WARN, type: json, stderr: yes}\n"
			    "shutdown-sync-timeout: 1m30s\n"
			    "exec: node server.js\n"
			    "dbs:\n"
			    "- path: /data/a.db\n"
			    "  monitor-interval: 1s\n"
			    "  replica:\n"
			    "    type: s3\n"
			    "    path: /a b%\n"
			    "- path: /data/b.db\n"
			    "  snapshot: {retention: 1h}\n"
			    "  durability: replica\n"
			    "  force-wal: off\n"
			    "  replica:\n"
			    "    url: s3://other/b?region=x\n"
			    "    sync-interval: 100ms\n";

START_TEST(a_file_of_0_5_is_read)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(newer);
	const struct lsv_config *a = &file->dbs[0].config;
	const struct lsv_config *b = &file->dbs[1].config;

	ck_assert_uint_eq(file->n_dbs, 2);
	ck_assert_str_eq(file->exec, "node server.js");
	ck_assert_int_eq(file->logging.level, LSV_LOG_WARN);
	ck_assert(file->logging.has_level && file->logging.is_json);
	ck_assert_str_eq(a->replicas[0].url, "s3://everywhere/a%20b%25");
	ck_assert_str_eq(a->replicas[0].options.region, "eu-central-1");
	ck_assert_int_eq(a->retention_ns, 72 * HOUR);
	ck_assert_int_eq(a->snapshot_interval_ns, HOUR);
	ck_assert_int_eq(a->shutdown_timeout_ns, 90 * LSV_NS_PER_S);
	ck_assert_str_eq(b->replicas[0].url, "s3://other/b?region=x");
	ck_assert_int_eq(b->retention_ns, HOUR);
	ck_assert_int_eq(b->replicas[0].sync_interval_ns, LSV_NS_PER_S / 10);
	ck_assert_int_eq(b->durability, LSV_DURABILITY_REPLICA);
	ck_assert(!b->force_wal && a->force_wal);
	/* levels, exec, monitor-interval: a line each */
	ck_assert_uint_eq(file->notes.n, 3);
}
END_TEST

START_TEST(several_replicas_have_names_of_their_own)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(
		"dbs:\n"
		"- path: /data/a.db\n"
		"  replicas:\n"
		"  - {path: /mnt/one}\n"
		"  - {path: /mnt/two, name: second, retention: 48h}\n"
		"  - {url: 's3://b/c'}\n");
	struct lsv_config config;

	ck_assert_int_eq(lsv_config_file_find(file, "/data/a.db", &config), 0);
	ck_assert_uint_eq(config.n_replicas, 3);
	ck_assert_int_eq(lsv_config_settle(&config, NULL), 0);
	ck_assert_str_eq(config.replicas[0].name, "file");
	ck_assert_str_eq(config.replicas[1].name, "second");
	ck_assert_str_eq(config.replicas[2].name, "s3");
	ck_assert_int_eq(config.replicas[0].retention_ns, 24 * HOUR);
	ck_assert_int_eq(config.replicas[1].retention_ns, 48 * HOUR);
	lsv_config_free(&config);
}
END_TEST

static void finds(const struct lsv_config_file *file, const char *path,
                  const char *url)
{
	struct lsv_config config;
	int r = lsv_config_file_find(file, path, &config);

	if (!url) {
		ck_assert_int_eq(r, -ENOENT);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(lsv_config_expand_all(&config, path), 0);
	ck_assert_str_eq(config.replicas[0].url, url);
	lsv_config_free(&config);
}

START_TEST(a_folder_gives_each_database_a_place_of_its_own)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(
		"dbs:\n"
		"- {path: /t/x.db, replica: {path: /mnt/x}}\n"
		"- {dir: /t, pattern: '*.db', recursive: true,\n"
		"   replica: {path: /mnt/t/}}\n"
		"- {dir: /flat, pattern: '[a-c]?.sqlite',\n"
		"   replica: {url: 's3://b/flat?region=r'}}\n");

	finds(file, "/t/x.db", "/mnt/x");
	finds(file, "/t/y.db", "/mnt/t/y.db");
	finds(file, "/t/u/z 1%.db", "/mnt/t/u/z 1%.db");
	finds(file, "/t/y.sqlite", NULL);
	finds(file, "/tt/y.db", NULL);
	finds(file, "/flat/a1.sqlite", "s3://b/flat/a1.sqlite?region=r");
	finds(file, "/flat/b%.sqlite", "s3://b/flat/b%25.sqlite?region=r");
	finds(file, "/flat/d1.sqlite", NULL);
	finds(file, "/flat/below/a1.sqlite", NULL);
}
END_TEST

START_TEST(a_link_to_a_database_is_that_database)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = NULL;
	auto_free char *here = realpath(".", NULL);
	auto_free char *real = lsv_path_join(here, "real/a.db");

	ck_assert_int_eq(mkdir("real", 0700), 0);
	ck_assert_int_eq(symlink("real", "link"), 0);
	file = config_read("dbs: [{path: link/a.db, replica: {path: /m}}]\n");
	finds(file, real, "/m");
}
END_TEST

START_TEST(anchors_work_and_own_keys_come_first)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(
		"dbs:\n"
		"- path: /a\n"
		"  replica: &common\n"
		"    type: s3\n"
		"    bucket: b\n"
		"    path: a\n"
		"- path: /b\n"
		"  replica:\n"
		"    <<: *common\n"
		"    path: b\n"
		"- path: /c\n"
		"  replica: {<<: [{path: c}, *common]}\n");

	finds(file, "/a", "s3://b/a");
	finds(file, "/b", "s3://b/b");
	finds(file, "/c", "s3://b/c");
}
END_TEST

START_TEST(variables_are_expanded_unless_told_not_to)
{
	auto_scratch char *dir = scratch_enter();
	static const char text[] = "dbs: [{path: '$LSV_T_A', replica: "
				   "{path: '/m${LSV_T_NONE}'}}]\n";
	struct lsv_config_file *raw = NULL;
	auto_config struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	bool is_required = false;

	ck_assert_int_eq(setenv("LSV_T_A", "/data/a.db", 1), 0);
	file = config_read(text);
	finds(file, "/data/a.db", "/m");
	ck_assert_uint_eq(file->notes.n, 1);
	ck_assert_ptr_nonnull(strstr(file->notes.at[0], "$LSV_T_NONE"));
	ck_assert_int_eq(
		lsv_config_file_read("c.yml", false, &raw, &why, &is_required),
		0);
	ck_assert_ptr_nonnull(strstr(raw->dbs[0].path, "$LSV_T_A"));
	lsv_config_file_free(raw);
}
END_TEST

START_TEST(nothing_is_a_configuration_too)
{
	static const char *const texts[] = {
		"",       "\n",        "# nothing\n",        "---\n",
		"dbs:\n", "dbs: []\n", "dbs: ~\nlogging:\n", "{}\n",
	};
	auto_scratch char *dir = scratch_enter();

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		auto_config struct lsv_config_file *file = config_read(
			texts[i]);

		ck_assert_uint_eq(file->n_dbs, 0);
	}
}
END_TEST

START_TEST(retention_can_be_switched_off)
{
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = config_read(
		"retention: {enabled: false}\n"
		"snapshot: {retention: 1h}\n"
		"dbs: [{path: /a, replicas: [{path: /m, retention: 2h}]}]\n");

	ck_assert_int_eq(file->dbs[0].config.retention_ns, 0);
	ck_assert_int_eq(file->dbs[0].config.replicas[0].retention_ns, 0);
}
END_TEST

static int append_path(void *arg, const char *path,
                       const struct lsv_config *config)
{
	char *all = arg;

	ck_assert_uint_eq(config->n_replicas, 1);
	strcat(strcat(all, strrchr(path, '/')), " ");
	return 0;
}

START_TEST(a_scan_finds_databases_and_nothing_else)
{
	static const char head[16] = "SQLite format 3";
	auto_scratch char *dir = scratch_enter();
	auto_config struct lsv_config_file *file = NULL;
	char all[256] = "";

	ck_assert_int_eq(mkdir("t", 0700), 0);
	ck_assert_int_eq(mkdir("t/u", 0700), 0);
	lsv_file_replace("t/b.db", head, sizeof head, 0600);
	lsv_file_replace("t/a.db", head, sizeof head, 0600);
	lsv_file_replace("t/own.db", head, sizeof head, 0600);
	lsv_file_replace("t/u/c.db", head, sizeof head, 0600);
	lsv_file_replace("t/empty.db", "", 0, 0600);
	lsv_file_replace("t/text.db", "SQLite format 4.", 16, 0600);
	file = config_read("dbs:\n"
	                   "- {dir: t, pattern: '*.db', recursive: true,\n"
	                   "   replica: {path: /m}}\n"
	                   "- {path: t/own.db, replica: {path: /own}}\n"
	                   "- {path: gone.db, replica: {path: /gone}}\n");
	ck_assert_int_eq(lsv_config_file_each(file, append_path, all), 0);
	ck_assert_str_eq(all, "/a.db /b.db /c.db /own.db /gone.db ");
}
END_TEST

UNIT(config_file, the_guides_file_is_read, a_file_of_0_5_is_read,
     several_replicas_have_names_of_their_own,
     a_folder_gives_each_database_a_place_of_its_own,
     a_link_to_a_database_is_that_database,
     anchors_work_and_own_keys_come_first,
     variables_are_expanded_unless_told_not_to, nothing_is_a_configuration_too,
     retention_can_be_switched_off, a_scan_finds_databases_and_nothing_else)
