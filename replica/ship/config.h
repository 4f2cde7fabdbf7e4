/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_H
#define LSV_CONFIG_H

/*
 * What one database is told: where its replicas are, and how to behave.  The
 * same names everywhere: URI parameter, $LSVFS_OPTIONS, option field,
 * configuration file.
 */

#include "replica/format/layout.h"
#include "replica/ship/config_replica.h"
#include "replica/spool/coord.h"

#include <stdbool.h>
#include <stdint.h>

enum lsv_durability { LSV_DURABILITY_ASYNC, LSV_DURABILITY_REPLICA };
enum lsv_on_timeout { LSV_TIMEOUT_ERROR, LSV_TIMEOUT_DEGRADE };
enum lsv_checkpoint { LSV_CHECKPOINT_ASSIST, LSV_CHECKPOINT_NATIVE };

struct lsv_config {
	/* "replica": the URL of the only one */
	struct lsv_replica_config *replicas; /* n_replicas of them */
	size_t n_replicas;
	enum lsv_codec compression;     /* "compression": lz4, zstd */
	enum lsv_durability durability; /* "durability": async, replica */
	/* "durability-on-timeout": error, degrade */
	enum lsv_on_timeout on_timeout;
	int64_t durability_timeout_ns;  /* "durability-timeout": 30s */
	enum lsv_checkpoint checkpoint; /* "checkpoint": assist, native */
	int64_t sync_interval_ns;       /* "sync-interval": 1s */
	int64_t snapshot_interval_ns; /* "snapshot-interval": 0: only by size */
	int64_t retention_ns;         /* "retention": 24h */
	int64_t shutdown_timeout_ns;  /* "shutdown-sync-timeout": 5s */
	uint64_t max_local_bytes;     /* "max-local-bytes": 0: the default */
	bool takeover;                /* "takeover" */
	bool force_wal;               /* "force-wal" */
	bool require_config;          /* "require-config" */
};

/* Fills in the defaults; there is no replica. */
void lsv_config_init(struct lsv_config *config);
void lsv_config_free(struct lsv_config *config);
int lsv_config_copy(const struct lsv_config *from, struct lsv_config *to);

/* One replica more; it is the config's from then on.  -E2BIG: it has
 * LSV_REPLICAS_MAX already; after an error the replica stays the caller's. */
int lsv_config_add(struct lsv_config *config,
                   const struct lsv_replica_config *replica);

/* Once all is set: names the replicas that have no name after their URLs'
 * schemes and gives them the database's intervals where they have none of
 * their own.  -EEXIST: two of them have the same name or the same URL, and
 * *twin (if not NULL) is the second one's number. */
int lsv_config_settle(struct lsv_config *config, size_t *twin);

/* Puts a database into all replicas' URLs, as lsv_config_expand().
 * -EINVAL: one has an unknown %. */
int lsv_config_expand_all(struct lsv_config *config, const char *db_path);

/* Sets one value by its name; "replica" replaces all replicas by one (or, with
 * "", by none).  -ENOENT: no such name; -EINVAL: not a value of it.  Neither
 * logs: the caller knows where it came from. */
int lsv_config_set(struct lsv_config *config, const char *name,
                   const char *value);

/* Sets several: "name=value name=value" as in $LSVFS_OPTIONS.  On an error
 * *bad (if not NULL) is a new string with the word that is wrong. */
int lsv_config_set_words(struct lsv_config *config, const char *words,
                         char **bad);

/* The names that lsv_config_set() knows, from 0; NULL behind the last one. */
const char *lsv_config_name(size_t i);

/* Puts a database into a replica URL's path: %f its file name, %p its
 * absolute path without the first slash's doubling, %% a percent sign
 * (design.md section 12).  In "scheme://..." they are percent-encoded, %XX
 * stays, and what is behind a '?' is left alone; a plain path takes the bytes
 * as they are.  NULL: out of memory or an unknown %. */
char *lsv_config_expand(const char *url, const char *db_path);

/* Whether two databases would share the replica: neither %f nor %p in it. */
bool lsv_config_is_fixed(const char *url);

#endif
