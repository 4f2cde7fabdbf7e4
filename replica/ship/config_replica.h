/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_REPLICA_H
#define LSV_CONFIG_REPLICA_H

/* What one database is told about one of its replicas. */

#include "replica/store/client.h"

#include <stdint.h>

#define LSV_UNSET_NS ((int64_t)-1)

struct lsv_replica_config {
	char *name; /* NULL: not named yet (lsv_config_settle() does) */
	char *url;  /* as given, with %f and %p, until it is expanded */
	struct lsv_client_options options; /* its strings are ours */
	/* LSV_UNSET_NS: as the database's (lsv_config_settle()). */
	int64_t sync_interval_ns;     /* "sync-interval" */
	int64_t snapshot_interval_ns; /* "snapshot-interval" */
	int64_t retention_ns;         /* "retention" */
};

/* Nothing is known of it yet. */
void lsv_replica_config_init(struct lsv_replica_config *replica);
void lsv_replica_config_free(struct lsv_replica_config *replica);
int lsv_replica_config_copy(const struct lsv_replica_config *from,
                            struct lsv_replica_config *to);

/* Sets one value by its name, as a configuration file's replica has it:
 * "name", "url", the intervals, "access-key-id"...  "" unsets a text.
 * -ENOENT: no such name; -EINVAL: not a value of it.  Neither logs. */
int lsv_replica_config_set(struct lsv_replica_config *replica, const char *name,
                           const char *value);

/* The names that it knows, NULL at the end. */
const char *const *lsv_replica_config_names(void);

/* Two that would write to the same place: query options do not count when
 * URLs are compared (design.md section 12). */
bool lsv_replica_config_is_same(const struct lsv_replica_config *a,
                                const struct lsv_replica_config *b);

/* Whether there can be a replica of 'db_path', an absolute path, at its URL,
 * which is expanded: nobody is asked.  -EINVAL: said. */
int lsv_replica_config_check(const struct lsv_replica_config *replica,
                             const char *db_path);

/* What a replica without a name is called: its URL's scheme, "file" for a
 * path.  Into 'name', cut at its end. */
#define LSV_REPLICA_NAME_SIZE 32
void lsv_replica_config_scheme(const struct lsv_replica_config *replica,
                               char name[LSV_REPLICA_NAME_SIZE]);

#endif
