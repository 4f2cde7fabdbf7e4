/* SPDX-License-Identifier: MIT */
#include "vfs/engine.h"

#include "replica/base/cleanup.h"
#include "replica/base/log.h"
#include "replica/ship/config.h"
#include "replica/store/url.h"
#include "vfs/api.h"
#include "vfs/api_table.h"
#include "vfs/configure.h"
#include "vfs/shim.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define OLDEST_SQLITE 3040000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs *lower; /* the default before we came */
static bool is_installed, is_refused, is_bypassed;

static void set_log_level(void)
{
	const char *text = getenv("LSVFS_LOG");

	if (lsv_log_configure(text) < 0)
		log_error(0,
		          "cannot use LSVFS_LOG='%s': expected off, error, "
		          "warn, info or debug",
		          text);
}

static int start(const struct sqlite3_api_routines *api)
{
	bool is_first = !sqlite3_api;
	const char *missing;

	/* An older one's table is shorter than the one we know. */
	if (api->libversion_number() < OLDEST_SQLITE)
		return log_error(-ENOSYS,
		                 "cannot work inside SQLite %s: 3.40.0 or "
		                 "newer is needed",
		                 api->libversion());
	missing = lsv_api_missing(api);
	if (missing)
		return log_error(-ENOSYS,
		                 "cannot work inside this SQLite %s: it was "
		                 "compiled without %s()",
		                 api->libversion(), missing);
	if (!lsv_api_set(api))
		return -EBUSY;
	if (is_first)
		set_log_level();
	return 0;
}

/* What 'words' set, if they are right; 'from' names where they stand. */
static int set_words(struct lsv_config *config, const char *from,
                     const char *words)
{
	auto_free char *bad = NULL;
	int r;

	if (!words)
		return 0;
	r = lsv_config_set_words(config, words, &bad);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_error(0,
		                 "cannot use '%s' in %s: %s; see lsvfs-vfs(7)",
		                 bad ? bad : words, from,
		                 r == -ENOENT ? "no such option"
		                              : "not a value of that option"),
		       -EINVAL;
	return 0;
}

static int set_replica(struct lsv_config *config, const char *url)
{
	auto_free char *sample = NULL;
	char shown[LSV_URL_SHOWN_SIZE];

	if (!url || !*url)
		return 0;
	lsv_url_show(url, shown, sizeof shown);
	sample = lsv_config_expand(url, "/sample.db");
	if (!sample)
		return log_error(-EINVAL,
		                 "cannot use the replica URL '%s': only %%f, "
		                 "%%p and %%%% may follow a percent sign",
		                 shown);
	return lsv_config_set(config, "replica", url);
}

/* The options as this version knows them.  -EINVAL: set by a newer program in
 * a field that we do not have. */
static int read_options(const struct lsvfs_options *options,
                        struct lsvfs_options *known)
{
	const char *raw = (const char *)options;

	memset(known, 0, sizeof *known);
	if (!options)
		return 0;
	if (options->size < offsetof(struct lsvfs_options, replica))
		return log_error(-EINVAL,
		                 "lsvfs_register: size must be sizeof(struct "
		                 "lsvfs_options)");
	for (size_t i = sizeof *known; i < options->size; i++) {
		if (raw[i])
			return log_error(-EINVAL,
			                 "lsvfs_register: an option is set "
			                 "that this version (%s) does not know",
			                 PACKAGE_VERSION);
	}
	memcpy(known, options,
	       options->size < sizeof *known ? options->size : sizeof *known);
	return 0;
}

/* The program has the last word: the environment is its default.  (A URI
 * parameter of one database comes after both.) */
static int read_config(const struct lsvfs_options *options,
                       struct lsv_config *config)
{
	int r = set_words(config, "LSVFS_OPTIONS", getenv("LSVFS_OPTIONS"));

	if (r == 0)
		r = set_replica(config, getenv("LSVFS_REPLICA_URL"));
	if (r == 0)
		r = set_words(config, "lsvfs_options.options",
		              options->options);
	if (r == 0)
		r = set_replica(config, options->replica);
	return r;
}

static int install_locked(const struct lsvfs_options *options)
{
	struct lsvfs_options known;
	struct lsv_config config;
	sqlite3_vfs *now = sqlite3_vfs_find(NULL);
	int r, rc;

	lsv_config_init(&config);
	r = read_options(options, &known);
	if (r == 0)
		r = read_config(&known, &config);
	if (r < 0) {
		lsv_config_free(&config);
		return r == -ENOMEM ? SQLITE_NOMEM : SQLITE_MISUSE;
	}
	if (!is_installed)
		lower = now;
	rc = lsv_shim_register(
		&(struct lsv_settings){
			.environment = getenv("LSVFS_OPTIONS"),
			.program = known.options,
			.replica = config.n_replicas > 0
	                                   ? config.replicas[0].url
	                                   : NULL,
		},
		known.make_default);
	is_installed |= rc == SQLITE_OK;
	lsv_config_free(&config);
	return rc;
}

static int install(const struct lsvfs_options *options)
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	return install_locked(options);
}

static int install_default(void)
{
	static const struct lsvfs_options options = {
		.size = sizeof options,
		.make_default = 1,
	};

	if (is_refused)
		return SQLITE_MISUSE;
	if (install_locked(&options) == SQLITE_OK)
		return SQLITE_OK;
	is_refused = true;
	log_error(0, "this process's databases are not replicated");
	return SQLITE_MISUSE;
}

/*
 * Who is the default now?  Ours: good.  The one below us: sqlite3_shutdown()
 * put it there, come back.  A stranger: the application chose it after us,
 * and it may stand on top of us or do what its files need (encrypt, check
 * sums): leave it.
 */
static int keep_default_locked(void)
{
	sqlite3_vfs *now = sqlite3_vfs_find(NULL);

	if (lsv_shim_is_default())
		return SQLITE_OK;
	if (!is_installed || now == lower)
		return install_default();
	if (!is_bypassed && now)
		log_error(0,
		          "the default VFS is now '%s': what it does not pass "
		          "to ours is not replicated",
		          now->zName);
	is_bypassed = true;
	return SQLITE_OK;
}

static int keep_default(void)
{
	/* No lock of ours at each open: a fork beside it would leave the
	 * child with it. */
	if (lsv_shim_is_default())
		return SQLITE_OK;

	auto_unlock pthread_mutex_t *held = lsv_lock(&mutex);

	return keep_default_locked();
}

static void free_ours(void *p)
{
	free(p);
}

const struct lsv_engine lsv_engine = {
	.version = PACKAGE_VERSION,
	.start = start,
	.install = install,
	.keep_default = keep_default,
	.sync = lsv_shim_sync,
	.txid = lsv_shim_txid,
	.checkpoint = lsv_shim_checkpoint,
	.snapshot = lsv_shim_snapshot,
	.status = lsv_shim_status,
	.replica = lsv_shim_replica,
	.free = free_ours,
};
