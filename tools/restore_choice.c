/* SPDX-License-Identifier: MIT */
#include "tools/restore_choice.h"

#include "replica/base/clock.h"
#include "replica/base/fileio.h"
#include "replica/base/log.h"
#include "replica/store/url.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void restore_source_close(struct restore_source *source)
{
	lsv_catalog_free(&source->catalog);
	lsv_client_close(source->client);
	*source = (struct restore_source){0};
}

static int read_source(struct target_replica *replica,
                       struct restore_source *source)
{
	static const struct lsv_retry patience = {
		.n_tries = 6,
		.first_ns = 100 * LSV_NS_PER_MS,
		.max_ns = 5 * LSV_NS_PER_S,
		.patience_ns = 20 * LSV_NS_PER_S,
	};
	int r = lsv_client_retry(take(replica->client), &patience,
	                         &source->client);

	if (r == 0)
		r = lsv_catalog_read(source->client, &source->catalog);
	source->is_empty = r == 0 && source->catalog.generations.n == 0 &&
	                   !source->catalog.has_ltx;
	return r;
}

static int plan_source(struct target_replica *replica,
                       const struct lsv_target *wanted,
                       struct restore_source *source)
{
	int r = read_source(replica, source);

	if (r == 0 && source->is_empty)
		return -ENOENT;
	return r < 0 ? r
	             : lsv_plan_make(source->client, &source->catalog, wanted,
	                             &source->plan);
}

/* An error that tells more than "nothing there". */
static int worse(int a, int b)
{
	return a == 0 || a == -ENOENT ? b : a;
}

static void say_passed_over(const struct target_replica *replica,
                            const struct restore_source *source)
{
	(void)log_warn(0, "replica %s (%s) is passed over%s", replica->name,
	               replica->url,
	               source->is_empty ? ": it holds no backup" : "");
}

static bool is_newer(const struct restore_source *source,
                     const struct restore_source *best)
{
	return !best->client ||
	       source->plan.target.time_ns > best->plan.target.time_ns;
}

/* Of those that have nothing for what is wanted: what else there is. */
static bool tells_more(const struct restore_source *source,
                       const struct restore_source *other)
{
	return !other->client ||
	       source->catalog.generations.n > other->catalog.generations.n;
}

static void swap(struct restore_source *a, struct restore_source *b)
{
	struct restore_source was = *a;

	*a = *b;
	*b = was;
}

static int choose_of_several(struct target *target,
                             const struct lsv_target *wanted,
                             struct restore_source *best)
{
	struct restore_source other = {0};
	bool is_empty = true;
	int result = 0;

	for (size_t i = 0; i < target->n_replicas; i++) {
		struct target_replica *replica = &target->replicas[i];
		struct restore_source source = {0};
		int r = plan_source(replica, wanted, &source);

		is_empty &= r == -ENOENT && source.is_empty;
		if (r < 0) {
			result = worse(result, r);
			say_passed_over(replica, &source);
			if (r == -ENOENT && tells_more(&source, &other))
				swap(&source, &other);
		} else if (is_newer(&source, best)) {
			swap(&source, best);
		}
		restore_source_close(&source);
	}
	if (best->client)
		result = 0;
	else if (result == -ENOENT)
		swap(best, &other);
	restore_source_close(&other);
	if (result < 0)
		best->is_empty = is_empty;
	return result;
}

int restore_choose(struct target *target, const struct lsv_target *wanted,
                   struct restore_source *out)
{
	*out = (struct restore_source){0};
	return target->n_replicas == 1
	               ? plan_source(&target->replicas[0], wanted, out)
	               : choose_of_several(target, wanted, out);
}

/* A replica of ours or of Litestream 0.3. */
static bool holds_backup(const char *path)
{
	auto_free char *generations = lsv_path_join(path, "generations");
	struct stat st;

	return generations && stat(generations, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

char *restore_found_below(const struct lsv_client *client)
{
	bool is_dir = !lsv_url_has_scheme(client->url);
	DIR *dir = is_dir ? lsv_opendir(client->url) : NULL;
	auto_free char *found = NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		auto_free char *path = lsv_path_join(client->url,
		                                     entry->d_name);

		if (!path || *entry->d_name == '.' || !holds_backup(path) ||
		    (found && strcmp(found, path) < 0))
			continue;
		free(found);
		found = take(path);
	}
	if (dir)
		closedir(dir);
	return take(found);
}
