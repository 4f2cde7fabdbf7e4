/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_schema.h"

#include <stdint.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define V3 LSV_KEY_03
#define V5 LSV_KEY_05
#define BOTH (LSV_KEY_03 | LSV_KEY_05)
#define OURS LSV_KEY_OURS

/* A row a key, as in the manual: */
/* clang-format off */
#define WORKS(name, type, versions, what)                                      \
	{name, LSV_KEY_##type, versions, LSV_KEY_WORKS, what, NULL}
#define ACCEPTED(name, type, versions, why)                                    \
	{name, LSV_KEY_##type, versions, LSV_KEY_ACCEPTED, why, NULL}
#define REFUSED(name, type, versions, instead)                                 \
	{name, LSV_KEY_##type, versions, LSV_KEY_REFUSED, instead, NULL}
#define BELOW(name, type, versions, verdict, what, section)                    \
	{name, LSV_KEY_##type, versions, LSV_KEY_##verdict, what, section}
#define SECTION(name, keys) {name, keys, LENGTH(keys), {NULL, NULL}}

#define NOT_ABS "replicas are directories and S3: use type s3 with an S3 gateway, or type file"
#define NOT_SFTP "replicas are directories and S3: mount the host (sshfs) and use type file"
#define NOT_WEBDAV "replicas are directories and S3: mount the share (davfs2) and use type file"
#define NOT_NATS "replicas are directories and S3: use type s3 or type file"
#define NOT_SSE_C "customer keys are not sent: use sse-kms-key-id, or the bucket's default encryption"
#define NOT_AGE "objects are not encrypted here: use sse-kms-key-id, or an encrypted file system"
#define SIGNED "every request is signed, with the hash of its body"
#define NO_SOCKET "there is no server: lsvfs status and lsvfs sync work on the files"
#define NO_LEVELS "segments are not merged into levels: a snapshot bounds what a restore reads"

/* What a replica may be told, and the whole file as a default for all. */
static const struct lsv_key settings[] = {
	WORKS("sync-interval", DURATION, BOTH, "at most one upload an interval while commits come fast (1s)"),
	ACCEPTED("validation-interval", DURATION, BOTH, "every object carries checksums, and each restore proves its result"),
	ACCEPTED("max-sync-ltx-files", NUMBER, V5, "there are no LTX files"),
	ACCEPTED("auto-recover", BOOL, V5, "a new generation begins by itself where continuity is not proven"),
	WORKS("access-key-id", SECRET, BOTH, "S3: the key's name"),
	WORKS("secret-access-key", SECRET, BOTH, "S3: the key"),
	WORKS("session-token", SECRET, OURS, "S3: what belongs to a temporary key"),
	WORKS("region", TEXT, BOTH, "S3: the bucket's region"),
	WORKS("bucket", TEXT, BOTH, "S3: the bucket, when there is no url"),
	WORKS("endpoint", TEXT, BOTH, "S3: the server, when it is not Amazon's"),
	WORKS("force-path-style", BOOL, BOTH, "S3: the bucket in the path, not in the host's name (with endpoint: true)"),
	ACCEPTED("sign-payload", BOOL, V5, SIGNED),
	ACCEPTED("sign-accept-encoding", BOOL, V5, "that header is not sent"),
	ACCEPTED("require-content-md5", BOOL, V5, SIGNED),
	ACCEPTED("put-object-content-md5", BOOL, V5, SIGNED),
	WORKS("skip-verify", BOOL, BOTH, "S3: do not verify the server's certificate"),
	WORKS("storage-class", TEXT, V5, "S3: the class in which objects are put (the bucket's own)"),
	WORKS("part-size", SIZE, V5, "S3: what is larger goes up in parts of this size, 5 MiB to 5 GiB (8 MiB)"),
	WORKS("concurrency", NUMBER, V5, "S3: how many parts of an object go up at once, 16 at most; each is in memory (1)"),
	WORKS("ca-file", TEXT, OURS, "S3: certificates that the server's is verified against"),
	WORKS("sse", TEXT, OURS, "S3: the server encrypts: AES256 or aws:kms"),
	REFUSED("sse-customer-algorithm", TEXT, V5, NOT_SSE_C),
	REFUSED("sse-customer-key", SECRET, V5, NOT_SSE_C),
	REFUSED("sse-customer-key-path", TEXT, V5, NOT_SSE_C),
	WORKS("sse-kms-key-id", TEXT, V5, "S3: the server encrypts with this key of its KMS"),
	REFUSED("account-name", TEXT, BOTH, NOT_ABS),
	REFUSED("account-key", SECRET, BOTH, NOT_ABS),
	REFUSED("sas-token", SECRET, V5, NOT_ABS),
	REFUSED("host", TEXT, BOTH, NOT_SFTP),
	REFUSED("user", TEXT, BOTH, NOT_SFTP),
	REFUSED("password", SECRET, BOTH, NOT_SFTP),
	REFUSED("key-path", TEXT, BOTH, NOT_SFTP),
	REFUSED("concurrent-writes", BOOL, V5, NOT_SFTP),
	REFUSED("host-key", TEXT, V5, NOT_SFTP),
	REFUSED("webdav-url", TEXT, V5, NOT_WEBDAV),
	REFUSED("webdav-username", TEXT, V5, NOT_WEBDAV),
	REFUSED("webdav-password", SECRET, V5, NOT_WEBDAV),
	REFUSED("jwt", SECRET, V5, NOT_NATS),
	REFUSED("seed", SECRET, V5, NOT_NATS),
	REFUSED("creds", SECRET, V5, NOT_NATS),
	REFUSED("nkey", SECRET, V5, NOT_NATS),
	REFUSED("username", TEXT, V5, NOT_NATS),
	REFUSED("token", SECRET, V5, NOT_NATS),
	REFUSED("tls", BOOL, V5, NOT_NATS),
	REFUSED("root-cas", TEXTS, V5, NOT_NATS),
	REFUSED("client-cert", TEXT, V5, NOT_NATS),
	REFUSED("client-key", TEXT, V5, NOT_NATS),
	REFUSED("max-reconnects", NUMBER, V5, NOT_NATS),
	REFUSED("reconnect-wait", DURATION, V5, NOT_NATS),
	REFUSED("timeout", DURATION, V5, NOT_NATS),
	REFUSED("age", SECTION, BOTH, NOT_AGE),
};
static const struct lsv_section settings_section = SECTION("a replica", settings);

static const struct lsv_key replica_keys[] = {
	WORKS("type", TEXT, BOTH, "file or s3 (by the url; without one: file)"),
	WORKS("name", TEXT, BOTH, "its name in commands (its type)"),
	WORKS("path", TEXT, BOTH, "the directory; S3: the prefix in the bucket"),
	WORKS("url", TEXT, BOTH, "all of it as one text"),
	WORKS("retention", DURATION, V3, "how far back can be restored (24h; 0: for ever)"),
	ACCEPTED("retention-check-interval", DURATION, V3, "it is looked at after each snapshot"),
	WORKS("snapshot-interval", DURATION, V3, "a snapshot at least this often (when the WAL outgrew the database)"),
};
static const struct lsv_section replica_section = {
	"a replica", replica_keys, LENGTH(replica_keys), {&settings_section, NULL}};

/* What a database may be told, and the whole file as a default for all. */
static const struct lsv_key habits[] = {
	WORKS("durability", TEXT, OURS, "async, or replica: a commit waits until it is there (async)"),
	WORKS("durability-timeout", DURATION, OURS, "how long it waits (30s)"),
	WORKS("durability-on-timeout", TEXT, OURS, "error, or degrade: the commit succeeds (error)"),
	WORKS("compression", TEXT, OURS, "lz4, or zstd: smaller, and not for Litestream (lz4)"),
	WORKS("checkpoint", TEXT, OURS, "assist, or native: SQLite's own way only (assist)"),
	WORKS("max-local-bytes", SIZE, OURS, "local space for what is not on the replica yet (1 GiB, or half of what is free)"),
	WORKS("force-wal", BOOL, OURS, "switches the database to WAL mode (true)"),
};
static const struct lsv_section habits_section = SECTION("a database", habits);

static const struct lsv_key snapshot_keys[] = {
	WORKS("interval", DURATION, V5, "a snapshot at least this often (when the WAL outgrew the database)"),
	WORKS("retention", DURATION, V5, "how far back can be restored (24h; 0: for ever)"),
};
static const struct lsv_section snapshot_section = SECTION("snapshot", snapshot_keys);

static const struct lsv_key db_keys[] = {
	WORKS("path", TEXT, BOTH, "the database"),
	WORKS("dir", TEXT, V5, "or a directory with databases"),
	WORKS("pattern", TEXT, V5, "which files in it: *, ? and [a-z], as Go has them"),
	WORKS("recursive", BOOL, V5, "those below it as well (false)"),
	WORKS("watch", BOOL, V5, "a database is noticed when it is opened, so new ones always are"),
	BELOW("snapshot", SECTION, V5, WORKS, "when, and how long they are kept", &snapshot_section),
	BELOW("replica", SECTION, V5, WORKS, "where it goes", &replica_section),
	BELOW("replicas", SECTIONS, BOTH, WORKS, "or several of them, each for itself", &replica_section),
	REFUSED("restore-if-db-not-exists", BOOL, V5, "an open restores nothing: run lsvfs-restore -if-db-not-exists -if-replica-exists DB before the program"),
	ACCEPTED("meta-path", TEXT, BOTH, "local files are in .NAME-litestream beside the database"),
	ACCEPTED("meta-dir", TEXT, V5, "local files are in .NAME-litestream beside the database"),
	ACCEPTED("monitor-interval", DURATION, BOTH, "commits are seen when they happen, nothing polls"),
	ACCEPTED("checkpoint-interval", DURATION, BOTH, "checkpoints go by the size of the WAL; see checkpoint"),
	ACCEPTED("busy-timeout", DURATION, V5, "nothing of ours waits for the database's locks"),
	ACCEPTED("min-checkpoint-page-count", NUMBER, BOTH, "checkpoints begin before SQLite's own would; see checkpoint"),
	ACCEPTED("max-checkpoint-page-count", NUMBER, V3, "no checkpoint of ours blocks writers; see checkpoint"),
	ACCEPTED("truncate-page-n", NUMBER, V5, "the WAL is reset, not truncated; see checkpoint"),
	ACCEPTED("max-sync-wal-bytes", NUMBER, V5, "an upload has what is due, in segments of bounded size"),
};
static const struct lsv_section db_section = {
	"a database", db_keys, LENGTH(db_keys), {&habits_section, NULL}};

static const struct lsv_key logging_keys[] = {
	WORKS("level", TEXT, BOTH, "error, warn, info, debug or off; trace is debug ($LSVFS_LOG has the last word)"),
	WORKS("type", TEXT, BOTH, "text or json; pretty is text (text)"),
	WORKS("stderr", BOOL, BOTH, "the log is on stderr: stdout is the application's (true)"),
	ACCEPTED("source", BOOL, V5, "a line says what happened, not where in our source"),
	WORKS("file", TEXT, OURS, "append to this file instead"),
	WORKS("syslog", BOOL, OURS, "to syslog(3) instead, as daemon.* (false)"),
};
static const struct lsv_section logging_section = SECTION("logging", logging_keys);

static const struct lsv_key retention_keys[] = {
	WORKS("enabled", BOOL, V5, "false: nothing is ever deleted from a replica (true)"),
};
static const struct lsv_section retention_section = SECTION("retention", retention_keys);

static const struct lsv_key validation_keys[] = {
	ACCEPTED("interval", DURATION, V5, "every object carries checksums, and each restore proves its result"),
};
static const struct lsv_section validation_section = SECTION("validation", validation_keys);

static const struct lsv_key socket_keys[] = {
	ACCEPTED("enabled", BOOL, V5, NO_SOCKET),
	ACCEPTED("path", TEXT, V5, NO_SOCKET),
	ACCEPTED("permissions", NUMBER, V5, NO_SOCKET),
};
static const struct lsv_section socket_section = SECTION("socket", socket_keys);

static const struct lsv_key level_keys[] = {
	ACCEPTED("interval", DURATION, V5, NO_LEVELS),
};
static const struct lsv_section level_section = SECTION("a level", level_keys);

static const struct lsv_key file_keys[] = {
	BELOW("dbs", SECTIONS, BOTH, WORKS, "the databases, an entry each", &db_section),
	BELOW("logging", SECTION, BOTH, WORKS, "what is logged, and where", &logging_section),
	BELOW("snapshot", SECTION, V5, WORKS, "when, and how long they are kept", &snapshot_section),
	BELOW("retention", SECTION, V5, WORKS, "whether old objects are deleted", &retention_section),
	WORKS("shutdown-sync-timeout", DURATION, V5, "how long the end of a program waits for its replicas (5s)"),
	WORKS("require-config", BOOL, OURS, "true: no database opens while this file is wrong (false)"),
	ACCEPTED("exec", TEXT, BOTH, "lsvfs replicate starts it; one that loads us is started with LD_PRELOAD=liblsvfs.so"),
	ACCEPTED("addr", TEXT, BOTH, "no port is opened: lsvfs status -prometheus writes the metrics to a file"),
	ACCEPTED("mcp-addr", TEXT, V5, "no port is opened inside an application: lsvfs status tells how it stands"),
	BELOW("socket", SECTION, V5, ACCEPTED, NO_SOCKET, &socket_section),
	BELOW("levels", SECTIONS, V5, ACCEPTED, NO_LEVELS, &level_section),
	BELOW("validation", SECTION, V5, ACCEPTED, "every object carries checksums, and each restore proves its result", &validation_section),
	ACCEPTED("l0-retention", DURATION, V5, "every commit within the retention can be restored"),
	ACCEPTED("l0-retention-check-interval", DURATION, V5, "every commit within the retention can be restored"),
	ACCEPTED("verify-compaction", BOOL, V5, NO_LEVELS),
	ACCEPTED("heartbeat-url", TEXT, V5, "nothing calls home: let a timer run lsvfs status, whose exit status says it"),
	ACCEPTED("heartbeat-interval", DURATION, V5, "nothing calls home: let a timer run lsvfs status, whose exit status says it"),
	ACCEPTED("shutdown-timeout", DURATION, V5, "a program ends when it ends; see shutdown-sync-timeout"),
	ACCEPTED("shutdown-sync-interval", DURATION, V5, "what is left goes up at once, not at intervals"),
};
/* clang-format on */

const struct lsv_section lsv_schema = {
	"the file",
	file_keys,
	LENGTH(file_keys),
	{&habits_section, &settings_section},
};

const struct lsv_key *lsv_schema_find(const struct lsv_section *section,
                                      const char *name)
{
	const struct lsv_key *key = NULL;

	for (size_t i = 0; i < section->n; i++) {
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	}
	for (size_t i = 0; !key && i < LENGTH(section->also); i++) {
		if (section->also[i])
			key = lsv_schema_find(section->also[i], name);
	}
	return key;
}

/* Letters that must be changed, put in or left out (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	uint8_t row[64];
	size_t n = strlen(b);

	if (n >= sizeof row || strlen(a) >= sizeof row)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 0; a[i]; i++) {
		uint8_t corner = row[0];

		row[0] = (uint8_t)(i + 1);
		for (size_t j = 0; j < n; j++) {
			uint8_t best = (uint8_t)(corner + (a[i] != b[j]));

			if (row[j] + 1 < best)
				best = (uint8_t)(row[j] + 1);
			if (row[j + 1] + 1 < best)
				best = (uint8_t)(row[j + 1] + 1);
			corner = row[j + 1];
			row[j + 1] = best;
		}
	}
	return row[n];
}

static void guess(const struct lsv_section *section, const char *name,
                  const char **best, size_t *best_distance)
{
	for (size_t i = 0; i < section->n; i++) {
		size_t d = distance(name, section->keys[i].name);

		if (d < *best_distance) {
			*best = section->keys[i].name;
			*best_distance = d;
		}
	}
	for (size_t i = 0; i < LENGTH(section->also); i++) {
		if (section->also[i])
			guess(section->also[i], name, best, best_distance);
	}
}

const char *lsv_schema_guess(const struct lsv_section *section,
                             const char *name)
{
	size_t best_distance = strlen(name) / 4 + 2;
	const char *best = NULL;

	guess(section, name, &best, &best_distance);
	return best;
}
