/* SPDX-License-Identifier: MIT */

/*
 * The chain of sources, and what it found last.  Who asks with the same
 * options shares one chain, so that a thousand databases of a process cost
 * one question when a credential is about to expire.
 */

#include "replica/base/clock.h"
#include "replica/base/log.h"
#include "replica/store/credential_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

/* So long before it expires another one is got, but not before three quarters
 * of its life. */
#define MARGIN_NS (300 * LSV_NS_PER_S)
#define MARGIN_PART 4
/* So long nobody is asked again: when several threads hear at the same time
 * that theirs has expired, and after an answer that was of no use. */
#define RENEW_PAUSE_NS LSV_NS_PER_S
#define VAIN_PAUSE_NS (10 * LSV_NS_PER_S)

struct lsv_credentials {
	LIST_ENTRY(lsv_credentials) link;
	unsigned n_users;
	pid_t pid; /* a child of a fork starts its own */
	struct lsv_credential configured;
	bool is_anonymous;
	char *ca_file;

	pthread_mutex_t mutex; /* guards what is below */
	struct lsv_credential last;
	bool has_last;
	int64_t renew_ns;     /* time of day; 0: never */
	int64_t pause_end_ns; /* monotonic */
	int result;           /* of the last question */
	char why[LSV_CREDENTIALS_WHY_SIZE];
};

static pthread_mutex_t chains_mutex = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(chains,
                 lsv_credentials) chains = LIST_HEAD_INITIALIZER(chains);

static void after_fork_in_child(void)
{
	pthread_mutex_init(&chains_mutex, NULL);
	LIST_INIT(&chains);
}

static void init(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_for(const struct lsv_credentials *chain,
                   const struct lsv_credential_options *options)
{
	return chain->is_anonymous == options->is_anonymous &&
	       is_same_text(chain->configured.key_id, options->key_id) &&
	       is_same_text(chain->configured.secret, options->secret) &&
	       is_same_text(chain->configured.token, options->token) &&
	       is_same_text(chain->ca_file, options->ca_file);
}

static void chain_free(struct lsv_credentials *chain)
{
	lsv_credential_free(&chain->configured);
	lsv_credential_free(&chain->last);
	pthread_mutex_destroy(&chain->mutex);
	free(chain->ca_file);
	free(chain);
}

LSV_AUTO(chain, struct lsv_credentials, chain_free)
#define auto_chain __attribute__((cleanup(lsv_auto_chain)))

static int chain_new(const struct lsv_credential_options *options,
                     struct lsv_credentials **out)
{
	auto_chain struct lsv_credentials *chain = calloc(1, sizeof *chain);
	const struct lsv_credential given = {
		.key_id = (char *)options->key_id,
		.secret = (char *)options->secret,
		.token = (char *)options->token,
	};
	int r;

	if (!chain)
		return -ENOMEM;
	pthread_mutex_init(&chain->mutex, NULL);
	chain->pid = getpid();
	chain->is_anonymous = options->is_anonymous;
	r = lsv_credential_copy(&given, &chain->configured);
	if (r == 0 && options->ca_file) {
		chain->ca_file = strdup(options->ca_file);
		r = chain->ca_file ? 0 : -ENOMEM;
	}
	if (r == 0)
		*out = take(chain);
	return r;
}

int lsv_credentials_open(const struct lsv_credential_options *options,
                         struct lsv_credentials **out)
{
	static const struct lsv_credential_options none;
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct lsv_credentials *chain;
	int r = 0;

	pthread_once(&once, init);
	if (!options)
		options = &none;
	auto_unlock pthread_mutex_t *held = lsv_lock(&chains_mutex);

	for (chain = LIST_FIRST(&chains); chain && !is_for(chain, options);)
		chain = LIST_NEXT(chain, link);
	if (!chain) {
		r = chain_new(options, &chain);
		if (r < 0)
			return r;
		LIST_INSERT_HEAD(&chains, chain, link);
	}
	chain->n_users++;
	*out = chain;
	return 0;
}

void lsv_credentials_close(struct lsv_credentials *chain)
{
	if (!chain || chain->pid != getpid())
		return; /* the parent's: it is in a list no more */
	auto_unlock pthread_mutex_t *held = lsv_lock(&chains_mutex);

	if (--chain->n_users > 0)
		return;
	LIST_REMOVE(chain, link);
	chain_free(chain);
}

static int from_configuration(const struct lsv_credentials *chain,
                              struct lsv_credential_search *search,
                              struct lsv_credential *out)
{
	const struct lsv_credential *configured = &chain->configured;

	if (!configured->key_id && !configured->secret)
		return -ENOENT;
	if (!configured->key_id || !configured->secret)
		return lsv_credential_fail(
			search, -EACCES,
			"%s is configured, but %s is not: give both, or "
			"neither",
			configured->key_id ? "access-key-id"
					   : "secret-access-key",
			configured->key_id ? "secret-access-key"
					   : "access-key-id");
	return lsv_credential_copy(configured, out);
}

static int seek(const struct lsv_credentials *chain,
                struct lsv_credential_search *search,
                struct lsv_credential *out)
{
	static lsv_credential_source *const sources[] = {
		lsv_credential_from_litestream,
		lsv_credential_from_environment,
		lsv_credential_from_profile,
		lsv_credential_from_web_identity,
		lsv_credential_from_container,
		lsv_credential_from_instance,
	};
	int r;

	search->ca_file = chain->ca_file;
	*out = (struct lsv_credential){0};
	if (chain->is_anonymous)
		return 0;
	r = from_configuration(chain, search, out);
	for (size_t i = 0; r == -ENOENT && i < sizeof sources / sizeof *sources;
	     i++)
		r = sources[i](search, out);
	if (r != -ENOENT)
		return r;
	return lsv_credential_fail(
		search, -EACCES,
		"no credentials found: set AWS_ACCESS_KEY_ID and "
		"AWS_SECRET_ACCESS_KEY (or LITESTREAM_...), or a profile in "
		"~/.aws/credentials; lsvfs-vfs(7) has the other places");
}

static bool has_expired(const struct lsv_credentials *chain)
{
	return chain->last.expires_ns &&
	       lsv_clock_ns() >= chain->last.expires_ns;
}

/* Under the mutex: whether to ask. */
static bool is_due(const struct lsv_credentials *chain, bool renew)
{
	if (!chain->has_last)
		return true;
	if (lsv_clock_mono_ns() < chain->pause_end_ns)
		return false;
	return renew ||
	       (chain->renew_ns != 0 && lsv_clock_ns() >= chain->renew_ns);
}

static void keep(struct lsv_credentials *chain, struct lsv_credential *found)
{
	int64_t left = found->expires_ns - lsv_clock_ns();
	int64_t margin = left / MARGIN_PART;

	if (margin > MARGIN_NS)
		margin = MARGIN_NS;
	chain->renew_ns = found->expires_ns ? found->expires_ns - margin : 0;
	if (!found->expires_ns || left > 0)
		chain->pause_end_ns += RENEW_PAUSE_NS - VAIN_PAUSE_NS;
	lsv_credential_free(&chain->last);
	chain->last = *found;
	chain->has_last = true;
}

static void ask(struct lsv_credentials *chain)
{
	struct lsv_credential_search search = {0};
	struct lsv_credential found = {0};

	chain->result = seek(chain, &search, &found);
	chain->pause_end_ns = lsv_clock_mono_ns() + VAIN_PAUSE_NS;
	memcpy(chain->why, search.why, sizeof chain->why);
	if (chain->result == 0)
		keep(chain, &found);
	else if (chain->has_last && !has_expired(chain))
		(void)log_warn(0,
		               "cannot renew credentials: %s; the last ones "
		               "are used until they expire",
		               chain->why);
}

int lsv_credentials_get(struct lsv_credentials *chain, bool renew,
                        struct lsv_credential *out)
{
	struct lsv_credential_search search = {0};

	if (chain->pid != getpid())
		return seek(chain, &search, out);
	auto_unlock pthread_mutex_t *held = lsv_lock(&chain->mutex);

	if (is_due(chain, renew))
		ask(chain);
	/* What the metadata service hands out is sometimes past its time, and
	 * honoured all the same. */
	if (chain->result < 0 &&
	    (renew || !chain->has_last || has_expired(chain)))
		return chain->result;
	return lsv_credential_copy(&chain->last, out);
}

void lsv_credentials_why(struct lsv_credentials *chain,
                         char why[LSV_CREDENTIALS_WHY_SIZE])
{
	auto_unlock pthread_mutex_t *held = lsv_lock(&chain->mutex);

	memcpy(why, chain->why, sizeof chain->why);
}
