/* SPDX-License-Identifier: MIT */
#include "replica/ship/config_path.h"

#include "replica/base/cleanup.h"
#include "replica/base/fileio.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define PASSWD_SIZE 4096

static char *home(void)
{
	const char *dir = getenv("HOME");
	char text[PASSWD_SIZE];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 &&
	    found && *found->pw_dir)
		dir = found->pw_dir;
	return dir && *dir == '/' ? strdup(dir) : NULL;
}

char *lsv_path_fold(char *path)
{
	auto_free char *copy = strdup(path);
	char *rest = copy, *word, *end = path;

	if (!copy)
		return NULL;
	while ((word = strsep(&rest, "/")) != NULL) {
		size_t n = strlen(word);

		if (n == 0 || strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			while (end > path && *--end != '/')
				;
			continue;
		}
		*end++ = '/';
		memcpy(end, word, n);
		end += n;
	}
	if (end == path)
		*end++ = '/';
	*end = 0;
	return path;
}

char *lsv_path_expand(const char *text)
{
	auto_free char *base = NULL;
	auto_free char *path = NULL;

	if (*text == '/') {
		path = strdup(text);
	} else if (*text == '~' && (!text[1] || text[1] == '/')) {
		base = home();
		path = base ? lsv_sprintf("%s/%s", base, text + 1) : NULL;
	} else {
		base = getcwd(NULL, 0);
		path = base ? lsv_sprintf("%s/%s", base, text) : NULL;
	}
	return path && lsv_path_fold(path) ? take(path) : NULL;
}

char *lsv_path_real(const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *folder = NULL;
	auto_free char *real = realpath(path, NULL);

	if (real || !slash)
		return take(real);
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	real = folder ? realpath(folder, NULL) : NULL;
	if (!real)
		return NULL;
	return lsv_sprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real,
	                   slash + 1);
}

const char *lsv_path_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		n = 0;
	if (strncmp(dir, path, n) != 0 || path[n] != '/' || !path[n + 1])
		return NULL;
	return path + n + 1;
}
