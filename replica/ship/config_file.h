/* SPDX-License-Identifier: MIT */
#ifndef LSV_CONFIG_FILE_H
#define LSV_CONFIG_FILE_H

/*
 * A configuration file in litestream.yml's schema (lsvfs.yml(5)): which
 * databases are replicated, where, and how they behave.
 */

#include "replica/base/log.h"
#include "replica/base/vector.h"
#include "replica/ship/config.h"
#include "replica/ship/config_group.h"

/* An entry of 'dbs': one database, or those of a folder. */
struct lsv_config_db {
	char *path; /* as written, absolute; NULL: see dir */
	char *real; /* behind symbolic links, when it was there */
	char *dir;
	char *real_dir;
	char *pattern;
	bool is_recursive;
	struct lsv_mark mark;
	struct lsv_config config;
};

struct lsv_logging {
	bool has_level;
	enum lsv_log_level level;
	bool is_json;
	bool is_syslog;
	char *file; /* NULL: stderr */
};

LSV_VECTOR(lsv_notes, char *);

struct lsv_config_file {
	char *path;
	struct lsv_config_db *dbs;
	size_t n_dbs;
	struct lsv_logging logging;
	char *exec;             /* NULL: none */
	bool is_required;       /* require-config */
	struct lsv_notes notes; /* "path:line: key: why it means nothing" */
};

/* Reads it.  -ENOENT, -EACCES...: it cannot be read; -EINVAL: it is wrong;
 * then *why is a new string, "path:line:column: cause" (NULL: out of memory),
 * and *is_required what it says of require-config as far as that could be
 * read (it is left alone when nothing is said).  Nothing is logged. */
int lsv_config_file_read(const char *path, bool expand_env,
                         struct lsv_config_file **out, char **why,
                         bool *is_required);
void lsv_config_file_free(struct lsv_config_file *file); /* NULL is fine */

/* What it says of a database, by its absolute path: a new config whose URLs
 * are not expanded yet (lsv_config_expand_all()).  -ENOENT: nothing. */
int lsv_config_file_find(const struct lsv_config_file *file,
                         const char *db_path, struct lsv_config *config);

extern const char lsv_config_default_path[]; /* /etc/litestream.yml */

/* Where it is: 'path' when given, $LSVFS_CONFIG, $LITESTREAM_CONFIG,
 * lsv_config_default_path if that is there; NULL: there is none.  Borrowed. */
const char *lsv_config_file_where(const char *path);

/* Each database that it names and each that is there in its folders.  A
 * return other than 0 ends it.  For tools only: files are opened (I8). */
typedef int lsv_config_db_fn(void *arg, const char *db_path,
                             const struct lsv_config *config);
int lsv_config_file_each(const struct lsv_config_file *file,
                         lsv_config_db_fn *each, void *arg);

/* Whether an entry has this very path, so that no folder's does. */
bool lsv_config_file_names(const struct lsv_config_file *file,
                           const char *db_path);

/* By its first bytes.  For tools only, as above. */
bool lsv_config_is_database(const char *path);

#endif
