/* SPDX-License-Identifier: MIT */
#ifndef LSV_CLIENT_H
#define LSV_CLIENT_H

/*
 * A replica holds objects under names.  Five verbs; retry, fault and memory
 * are clients too.  All return 0 or a negative errno: -ENOENT no such object,
 * -EEXIST another object has the name, -EACCES refused, -ENOSPC full,
 * -EAGAIN worth trying again.  The one place that knows the reason has logged
 * it at debug; who gives up logs the error.  None is called from two threads
 * at once on one client: whoever wants parallel transfers opens several.
 */

#include "replica/base/stream.h"

#include <stdbool.h>

struct lsv_object {
	const char *name; /* below the root; borrowed for the call */
	uint64_t size;
	int64_t time_ns; /* of its last commit */
};

/* A non-zero return ends the listing with it. */
typedef int lsv_list_fn(void *arg, const struct lsv_object *object);

enum lsv_put_mode {
	LSV_PUT_NEW,     /* never overwrites; the same bytes there: success,
	                    other bytes: -EEXIST */
	LSV_PUT_NEXT,    /* the same, for what is nothing without what came
	                    before: where the replica has folders, the one
	                    above the object's own must be there, or -ENOENT */
	LSV_PUT_REPLACE, /* for owner.json and its like */
};

/* Bytes of an object: from 'offset', n of them; n 0: to the end.
 * from_end: the last n bytes (or all, when it is shorter). */
struct lsv_range {
	uint64_t offset;
	uint64_t n;
	int from_end;
};

struct lsv_client;

struct lsv_client_ops {
	const char *scheme; /* "file", "s3" */
	/* Makes the object appear whole and durable, or not at all. */
	int (*put)(struct lsv_client *client, const char *name,
	           struct lsv_reader *body, int64_t time_ns,
	           enum lsv_put_mode mode);
	/* range NULL: all of it. */
	int (*get)(struct lsv_client *client, const char *name,
	           const struct lsv_range *range, struct lsv_writer *into);
	/* Every object whose name begins with 'prefix', in the order of their
	 * names (bytes).  No object is no error. */
	int (*list)(struct lsv_client *client, const char *prefix,
	            lsv_list_fn *each, void *arg);
	/* -ENOENT is success: it is gone. */
	int (*remove)(struct lsv_client *client, const char *name);
	/* The same for several at once, in any order; when it fails, some may
	 * be gone.  NULL: that is no faster here than one by one. */
	int (*remove_some)(struct lsv_client *client, const char *const *names,
	                   size_t n);
	/* What root makes from now on gets the owner and the group of the file
	 * 'db_path', as SQLite's own files beside it do.  NULL: objects have
	 * no owner here. */
	int (*own_as)(struct lsv_client *client, const char *db_path);
	/* Another client of the same replica, for another thread. */
	int (*clone)(struct lsv_client *client, struct lsv_client **out);
	void (*close)(struct lsv_client *client);
};

#define LSV_CLIENT_WHY_SIZE 400

struct lsv_client {
	const struct lsv_client_ops *ops;
	char *url; /* as a person would write it, without secrets */
	/* Why the last call failed: cause and remedy, for a person.  "":
	 * there is no more to say than the errno does; NULL: nor ever was.
	 * LSV_CLIENT_WHY_SIZE bytes of the client's. */
	char *why;
};

/* The same, or what r says. */
const char *lsv_client_why(const struct lsv_client *client, int r);

enum lsv_choice { LSV_CHOICE_NONE, LSV_CHOICE_NO, LSV_CHOICE_YES };

/* A replica's keys in litestream.yml, by their names; NULL: not given.  What
 * the URL's own query says has the last word.  Borrowed for the call. */
struct lsv_client_options {
	char *access_key_id;
	char *secret_access_key;
	char *session_token;
	char *region;
	char *endpoint;
	char *sse;
	char *sse_kms_key_id;
	char *storage_class;
	char *ca_file;
	uint64_t part_size;   /* 0: not given */
	uint64_t concurrency; /* 0: not given */
	enum lsv_choice force_path_style;
	bool skip_verify;
};

/* What a part of a large object may have, by S3; and how many are on their way
 * at most, whatever was asked for: each is in memory. */
#define LSV_PART_MIN ((uint64_t)5 << 20)
#define LSV_PART_MAX ((uint64_t)5 << 30)
#define LSV_PARTS_AT_ONCE_MAX 16

/* Opens the client for a URL: a path, "file:///path", "s3://bucket/prefix".
 * Nobody is asked yet.  options NULL: none.  The caller closes it. */
int lsv_client_open(const char *url, const struct lsv_client_options *options,
                    struct lsv_client **out);

/* NULL is fine. */
static inline void lsv_client_close(struct lsv_client *client)
{
	if (client)
		client->ops->close(client);
}

/* A directory.  'root' need not exist: the first put makes it. */
int lsv_client_file(const char *root, struct lsv_client **out);

/* A bucket and a prefix, by a URL (s3_url.h).  Only what is wrong with the
 * URL fails here, and is logged. */
int lsv_client_s3(const char *url, const struct lsv_client_options *options,
                  struct lsv_client **out);

struct lsv_retry {
	unsigned n_tries; /* in all, since anything came */
	int64_t first_ns; /* pause after the first, then twice as long */
	int64_t max_ns;
	/* When the tries took so long in vain, there are no more than two; 0:
	 * whatever they take. */
	int64_t patience_ns;
	/* After a request that came to nothing: one try a request, until one
	 * succeeds.  For callers that come back by themselves. */
	bool once_while_down;
};

/* A client that tries again what ended with -EAGAIN; when it gives up, that is
 * -EHOSTDOWN.  One that does so already only gets another policy: each try of
 * one layer would be several of the other.  Owns 'inner', also when it
 * fails. */
int lsv_client_retry(struct lsv_client *inner, const struct lsv_retry *policy,
                     struct lsv_client **out);

LSV_AUTO(client, struct lsv_client, lsv_client_close)
#define auto_client __attribute__((cleanup(lsv_auto_client)))

#endif
