/* SPDX-License-Identifier: MIT */
#include "tools/metrics.h"

#include "replica/base/cleanup.h"
#include "replica/base/clock.h"
#include "replica/base/fileio.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* One database, and one of its replicas (NULL: the metric has none). */
struct subject {
	const struct lsv_status *status;
	const struct lsv_replica_status *replica;
	int grade;
};

typedef double value_fn(const struct subject *subject);

static double size_of(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static double db_size(const struct subject *it)
{
	return size_of(it->status->path);
}

static double wal_size(const struct subject *it)
{
	auto_free char *path = lsv_sprintf("%s-wal", it->status->path);

	return size_of(path);
}

static double shadow_index(const struct subject *it)
{
	return it->status->captured.index;
}

static double shadow_size(const struct subject *it)
{
	return (double)it->status->captured.offset;
}

static double replica_index(const struct subject *it)
{
	return it->replica->shipped.index;
}

static double replica_offset(const struct subject *it)
{
	return (double)it->replica->shipped.offset;
}

static double grade(const struct subject *it)
{
	return it->grade;
}

static double txid(const struct subject *it)
{
	return (double)it->status->captured_txid;
}

static double replica_txid(const struct subject *it)
{
	return (double)it->replica->shipped_txid;
}

static double lag(const struct subject *it)
{
	return (double)it->replica->lag_ns / (double)LSV_NS_PER_S;
}

static double replica_time(const struct subject *it)
{
	return (double)it->replica->shipped_ns / (double)LSV_NS_PER_S;
}

static double failing_since(const struct subject *it)
{
	return (double)it->replica->failing_ns / (double)LSV_NS_PER_S;
}

static double objects(const struct subject *it)
{
	return (double)it->replica->n_puts;
}

static const struct metric {
	const char *name;
	const char *type;
	const char *help;
	value_fn *value;
	bool is_of_replica;
} metrics[] = {
	{"litestream_db_size", "gauge", "The current size of the real DB",
         db_size, false},
	{"litestream_wal_size", "gauge", "The current size of the real WAL",
         wal_size, false},
	{"litestream_shadow_wal_index", "gauge",
         "The current index of the shadow WAL", shadow_index, false},
	{"litestream_shadow_wal_size", "gauge",
         "Current size of shadow WAL, in bytes", shadow_size, false},
	{"litestream_replica_wal_index", "gauge", "The current WAL index",
         replica_index, true},
	{"litestream_replica_wal_offset", "gauge", "The current WAL offset",
         replica_offset, true},
	{"lsvfs_status", "gauge",
         "0 fine, 1 behind, 2 broken, 3 cannot tell, as lsvfs status exits",
         grade, false},
	{"lsvfs_txid", "gauge", "Number of the last commit in its generation",
         txid, false},
	{"lsvfs_replica_txid", "gauge",
         "Number of the last commit on the replica", replica_txid, true},
	{"lsvfs_replica_lag_seconds", "gauge",
         "Age of the oldest commit that is not on the replica, 0: none", lag,
         true},
	{"lsvfs_replica_time_seconds", "gauge",
         "When the last commit on the replica was made", replica_time, true},
	{"lsvfs_replica_failing_since_seconds", "gauge",
         "Since when puts fail, 0: the last one succeeded", failing_since,
         true},
	{"lsvfs_replica_objects_total", "counter",
         "Objects put since the processes began to share the database", objects,
         true},
};

static void print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			printf("\\%c", *value);
		else if (*value == '\n')
			fputs("\\n", stdout);
		else
			putchar(*value);
	}
	putchar('"');
}

static void print_sample(const struct metric *metric,
                         const struct subject *subject)
{
	printf("%s{", metric->name);
	print_label("db", subject->status->path);
	if (subject->replica) {
		putchar(',');
		print_label("name", subject->replica->name);
	}
	printf("} %.15g\n", metric->value(subject));
}

static void print_samples(const struct metric *metric,
                          const struct lsv_status *status, int grade_of)
{
	struct subject subject = {.status = status, .grade = grade_of};

	if (!metric->is_of_replica)
		print_sample(metric, &subject);
	for (size_t i = 0; metric->is_of_replica && i < status->n_replicas;
	     i++) {
		subject.replica = &status->replicas[i];
		print_sample(metric, &subject);
	}
}

int metrics_print(const struct lsv_status *statuses, const int *grades,
                  size_t n)
{
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		printf("# HELP %s %s\n# TYPE %s %s\n", metrics[i].name,
		       metrics[i].help, metrics[i].name, metrics[i].type);
		for (size_t k = 0; k < n; k++)
			print_samples(&metrics[i], &statuses[k], grades[k]);
	}
	return fflush(stdout) == EOF || ferror(stdout) ? -EIO : 0;
}
