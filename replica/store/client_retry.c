/* SPDX-License-Identifier: MIT */

/*
 * A client over another that tries again what was worth trying again
 * (-EAGAIN), each time after a longer pause.  What had been delivered is not
 * delivered twice: a get goes on behind the last byte, a list behind the last
 * name.
 */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/backoff.h"
#include "replica/store/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct retry_client {
	struct lsv_client base;
	struct lsv_client_ops ops; /* with the scheme of the one below */
	struct lsv_client *inner;
	struct lsv_retry policy;
	bool is_down; /* the last request came to nothing */
};

static struct retry_client *self(struct lsv_client *client)
{
	return (struct retry_client *)client;
}

/* One request and its tries. */
struct attempt {
	struct retry_client *client;
	const char *verb;
	const char *name;
	unsigned n; /* tries that failed, in vain */
	int64_t began_ns;
	struct lsv_backoff backoff;
};

static struct attempt begin(struct lsv_client *client, const char *verb,
                            const char *name)
{
	struct retry_client *c = self(client);

	return (struct attempt){
		.client = c,
		.verb = verb,
		.name = name,
		.began_ns = lsv_clock_mono_ns(),
		.backoff = {c->policy.first_ns, c->policy.max_ns},
	};
}

/* The end of a request: what the one below knows of a failure is ours to
 * tell, and nobody above tries again what we gave up. */
static int end(struct lsv_client *client, int r)
{
	struct retry_client *c = self(client);

	c->base.why = c->inner->why;
	c->is_down = r == -EAGAIN;
	return c->is_down ? -EHOSTDOWN : r;
}

static bool is_tired(const struct attempt *attempt)
{
	const struct lsv_retry *policy = &attempt->client->policy;
	int64_t took_ns = lsv_clock_mono_ns() - attempt->began_ns;

	return attempt->n >= policy->n_tries ||
	       (policy->patience_ns && attempt->n >= 2 &&
	        took_ns >= policy->patience_ns) ||
	       (attempt->client->is_down && policy->once_while_down);
}

/* After a try that ended with r: shall there be another? */
static bool again(struct attempt *attempt, int r)
{
	if (r != -EAGAIN)
		return false;
	attempt->n++;
	if (is_tired(attempt))
		return false;
	log_debug("try %s %s again: %s", attempt->verb, attempt->name,
	          lsv_client_why(attempt->client->inner, r));
	lsv_backoff_wait(&attempt->backoff);
	return true;
}

static int retry_put(struct lsv_client *client, const char *name,
                     struct lsv_reader *body, int64_t time_ns,
                     enum lsv_put_mode mode)
{
	struct lsv_client *inner = self(client)->inner;
	struct attempt attempt = begin(client, "put", name);
	int r;

	for (;;) {
		r = inner->ops->put(inner, name, body, time_ns, mode);
		if (!body->rewind || !again(&attempt, r))
			return end(client, r);
		r = body->rewind(body);
		if (r < 0)
			return r;
	}
}

/* Counts what went by. */
struct counting_writer {
	struct lsv_writer base;
	struct lsv_writer *into;
	uint64_t n;
	bool has_failed; /* 'into', whose error is none of ours */
};

static int count(struct lsv_writer *writer, const void *buf, size_t n)
{
	struct counting_writer *c = (struct counting_writer *)writer;
	int r = c->into->write(c->into, buf, n);

	c->has_failed = r != 0;
	if (r == 0)
		c->n += n;
	return r;
}

/* What is left of a range, or of a whole object, behind n bytes.  False: of
 * the last bytes of an object nobody knows where they begin. */
static bool skip(struct lsv_range *range, uint64_t n)
{
	if (n == 0)
		return true;
	if (range->from_end || (range->n && n >= range->n))
		return false;
	range->offset += n;
	if (range->n)
		range->n -= n;
	return true;
}

static int retry_get(struct lsv_client *client, const char *name,
                     const struct lsv_range *range, struct lsv_writer *into)
{
	struct lsv_client *inner = self(client)->inner;
	struct attempt attempt = begin(client, "get", name);
	struct lsv_range rest = range ? *range : (struct lsv_range){0};
	bool is_whole = !range;
	int r;

	for (;;) {
		struct counting_writer counting = {
			.base = {count, NULL},
			.into = into,
		};

		r = inner->ops->get(inner, name, is_whole ? NULL : &rest,
		                    &counting.base);
		if (counting.n) { /* it is there, and this one goes on */
			self(client)->is_down = false;
			attempt = begin(client, "get", name);
		}
		if (r != -EAGAIN || counting.has_failed ||
		    !skip(&rest, counting.n) || !again(&attempt, r))
			return counting.has_failed ? r : end(client, r);
		is_whole = is_whole && rest.offset == 0;
	}
}

struct listing {
	lsv_list_fn *each;
	void *arg;
	char *last;    /* name told; NULL: none yet */
	bool is_ended; /* by 'each', whose error is none of ours */
};

static int tell(void *arg, const struct lsv_object *object)
{
	struct listing *l = arg;
	char *name;
	int r;

	if (l->last && strcmp(object->name, l->last) <= 0)
		return 0;
	name = strdup(object->name);
	if (!name)
		return -ENOMEM;
	free(l->last);
	l->last = name;
	r = l->each(l->arg, object);
	l->is_ended = r != 0;
	return r;
}

static int retry_list(struct lsv_client *client, const char *prefix,
                      lsv_list_fn *each, void *arg)
{
	struct lsv_client *inner = self(client)->inner;
	struct attempt attempt = begin(client, "list", prefix);
	struct listing listing = {.each = each, .arg = arg};
	int r;

	do
		r = inner->ops->list(inner, prefix, tell, &listing);
	while (!listing.is_ended && again(&attempt, r));
	free(listing.last);
	return listing.is_ended ? r : end(client, r);
}

static int retry_remove(struct lsv_client *client, const char *name)
{
	struct lsv_client *inner = self(client)->inner;
	struct attempt attempt = begin(client, "remove", name);
	int r;

	do
		r = inner->ops->remove(inner, name);
	while (again(&attempt, r));
	return end(client, r);
}

static int retry_remove_some(struct lsv_client *client,
                             const char *const *names, size_t n)
{
	struct lsv_client *inner = self(client)->inner;
	struct attempt attempt = begin(client, "remove", names[0]);
	int r;

	do
		r = inner->ops->remove_some(inner, names, n);
	while (again(&attempt, r));
	return end(client, r);
}

static int retry_clone(struct lsv_client *client, struct lsv_client **out)
{
	const struct retry_client *c = self(client);
	struct lsv_client *inner;
	int r = c->inner->ops->clone(c->inner, &inner);

	return r < 0 ? r : lsv_client_retry(inner, &c->policy, out);
}

static void retry_close(struct lsv_client *client)
{
	struct retry_client *c = self(client);

	lsv_client_close(c->inner);
	free(c->base.url);
	free(c);
}

int lsv_client_retry(struct lsv_client *inner, const struct lsv_retry *policy,
                     struct lsv_client **out)
{
	struct retry_client *c;
	char *url;

	if (inner->ops->close == retry_close) {
		self(inner)->policy = *policy;
		*out = inner;
		return 0;
	}
	c = calloc(1, sizeof *c);
	url = strdup(inner->url);
	if (!c || !url) {
		free(c);
		free(url);
		lsv_client_close(inner);
		return -ENOMEM;
	}
	c->ops = (struct lsv_client_ops){
		.scheme = inner->ops->scheme,
		.put = retry_put,
		.get = retry_get,
		.list = retry_list,
		.remove = retry_remove,
		.remove_some = inner->ops->remove_some ? retry_remove_some
	                                               : NULL,
		.clone = retry_clone,
		.close = retry_close,
	};
	c->base.ops = &c->ops;
	c->base.url = url;
	c->base.why = inner->why;
	c->inner = inner;
	c->policy = *policy;
	*out = &c->base;
	return 0;
}
