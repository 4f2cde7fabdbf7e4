/* SPDX-License-Identifier: MIT */

/* A configuration file, as a program reads it at its first open.  The first
 * byte says whether variables are expanded. */

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/ship/config_file.h"
#include "test/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define DB_PATH "/data/below/app.db"

/* What is accepted can be used, and copied. */
static void use_config(struct lsv_config *config)
{
	struct lsv_config copy;
	size_t twin = 0;

	must(config->n_replicas <= LSV_REPLICAS_MAX);
	for (size_t i = 0; i < config->n_replicas; i++)
		must(config->replicas[i].url && *config->replicas[i].url);
	must(lsv_config_copy(config, &copy) == 0);
	if (lsv_config_expand_all(&copy, DB_PATH) == 0)
		lsv_config_settle(&copy, &twin);
	must(twin < LSV_REPLICAS_MAX);
	lsv_config_free(&copy);
}

static void use_file(struct lsv_config_file *file)
{
	struct lsv_config config;

	for (size_t i = 0; i < file->n_dbs; i++) {
		const struct lsv_config_db *db = &file->dbs[i];

		must(db->path ? db->path[0] == '/' : db->dir && db->pattern);
		must(db->mark.line > 0);
		use_config(&file->dbs[i].config);
		must(!db->path ||
		     lsv_config_file_find(file, db->path, &config) == 0);
		if (db->path)
			lsv_config_free(&config);
	}
	if (lsv_config_file_find(file, DB_PATH, &config) == 0) {
		use_config(&config);
		lsv_config_free(&config);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	auto_close int fd = memfd_create("lsvfs.yml", MFD_CLOEXEC);
	struct lsv_config_file *file = NULL;
	auto_free char *why = NULL;
	bool is_required = false;
	char path[32];
	int r;

	if (n < 1)
		return 0;
	must(fd >= 0 && lsv_pwrite(fd, bytes + 1, n - 1, 0) == 0);
	lsv_log_set_level(LSV_LOG_OFF);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r = lsv_config_file_read(path, bytes[0] % 2 == 0, &file, &why,
	                         &is_required);
	must(r == 0 ? file && !why
	            : why && strncmp(why, path, strlen(path)) == 0);
	if (file)
		use_file(file);
	lsv_config_file_free(file);
	return 0;
}
