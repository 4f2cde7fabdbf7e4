/* SPDX-License-Identifier: MIT */
#include "replica/store/profile.h"

#include "replica/base/fileio.h"
#include "replica/base/secret.h"
#include "replica/base/vector.h"
#include "replica/store/env.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FILE_SIZE_MAX ((size_t)1 << 20)

struct setting {
	char *profile;
	char *key; /* NULL: says only that the profile is there */
	char *value;
	enum lsv_profile_file file;
};

LSV_VECTOR(settings, struct setting)

struct lsv_profiles {
	struct settings settings;
};

void lsv_profiles_close(struct lsv_profiles *profiles)
{
	if (!profiles)
		return;
	for (size_t i = 0; i < profiles->settings.n; i++) {
		struct setting *setting = &profiles->settings.at[i];

		free(setting->profile);
		free(setting->key);
		lsv_secret_free(setting->value);
	}
	free(profiles->settings.at);
	free(profiles);
}

int lsv_profiles_new(struct lsv_profiles **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : -ENOMEM;
}

/* The bytes [from, to) without the blanks at both ends. */
struct piece {
	const char *from, *to;
};

static struct piece trim(const char *from, const char *to)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (from < to && isspace((unsigned char)to[-1]))
		to--;
	return (struct piece){from, to};
}

/* What is before a comment: a blank, then '#' or ';'. */
static const char *comment(const char *from, const char *to)
{
	for (const char *p = from + 1; p < to; p++)
		if ((*p == '#' || *p == ';') && isspace((unsigned char)p[-1]))
			return p;
	return to;
}

static char *text_of(struct piece piece)
{
	return strndup(piece.from, (size_t)(piece.to - piece.from));
}

static int add(struct lsv_profiles *profiles, enum lsv_profile_file file,
               const char *profile, struct piece key, struct piece value)
{
	struct setting setting = {
		.profile = strdup(profile),
		.key = key.from ? text_of(key) : NULL,
		.value = text_of(value),
		.file = file,
	};
	int r = setting.profile && setting.value && (!key.from || setting.key)
	                ? settings_append(&profiles->settings, setting)
	                : -ENOMEM;

	if (r < 0) {
		free(setting.profile);
		free(setting.key);
		lsv_secret_free(setting.value);
	}
	return r;
}

/* "[profile NAME]", "[NAME]"; *profile is NULL for a section of another kind.
 */
static int parse_section(struct piece line, enum lsv_profile_file file,
                         char **profile)
{
	static const char word[] = "profile";
	const char *end = memchr(line.from, ']', (size_t)(line.to - line.from));
	struct piece name;
	size_t n;

	free(take(*profile));
	if (!end)
		return -EBADMSG;
	name = trim(line.from + 1, end);
	n = (size_t)(name.to - name.from);
	if (file == LSV_PROFILE_CONFIG && n > sizeof word &&
	    memcmp(name.from, word, sizeof word - 1) == 0 &&
	    isspace((unsigned char)name.from[sizeof word - 1]))
		name = trim(name.from + sizeof word, name.to);
	else if (file == LSV_PROFILE_CONFIG &&
	         (n != 7 || memcmp(name.from, "default", 7) != 0))
		return 0;
	if (name.to - name.from >= 2 && name.from[0] == '"' &&
	    name.to[-1] == '"')
		name = (struct piece){name.from + 1, name.to - 1};
	if (name.from == name.to)
		return -EBADMSG;
	*profile = text_of(name);
	return *profile ? 0 : -ENOMEM;
}

static int parse_line(struct lsv_profiles *profiles, enum lsv_profile_file file,
                      const char *from, const char *to, char **profile)
{
	struct piece line = trim(from, to);
	const char *equals;
	int r;

	if (line.from == line.to || *line.from == '#' || *line.from == ';')
		return 0;
	if (line.from != from)
		return 0; /* belongs to the key above, which is not ours */
	if (*line.from == '[') {
		r = parse_section(line, file, profile);
		if (r < 0 || !*profile)
			return r;
		return add(profiles, file, *profile, (struct piece){0}, line);
	}
	equals = memchr(line.from, '=', (size_t)(line.to - line.from));
	if (!equals || equals == line.from)
		return -EBADMSG;
	if (!*profile)
		return 0;
	return add(profiles, file, *profile, trim(line.from, equals),
	           trim(equals + 1, comment(equals, line.to)));
}

int lsv_profiles_parse(struct lsv_profiles *profiles, const char *text,
                       enum lsv_profile_file file, unsigned *bad_line)
{
	auto_free char *profile = NULL;
	unsigned line = 1;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* what Windows' editors put there */
	for (; *text; line++) {
		const char *end = text + strcspn(text, "\n");
		int r = parse_line(profiles, file, text, end, &profile);

		if (r == -EBADMSG)
			*bad_line = line;
		if (r < 0)
			return r;
		text = *end ? end + 1 : end;
	}
	return 0;
}

bool lsv_profiles_has(const struct lsv_profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->settings.n; i++)
		if (strcmp(profiles->settings.at[i].profile, name) == 0)
			return true;
	return false;
}

const char *lsv_profiles_get(const struct lsv_profiles *profiles,
                             const char *name, const char *key)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < profiles->settings.n; i++) {
		const struct setting *s = &profiles->settings.at[i];

		if (!s->key || strcasecmp(s->key, key) != 0 ||
		    strcmp(s->profile, name) != 0)
			continue;
		/* The credentials file's wins, and of one file the last. */
		if (!found || s->file <= found->file)
			found = s;
	}
	return found && found->value[0] ? found->value : NULL;
}

const char *lsv_profile_name(bool *is_chosen)
{
	const char *name = lsv_env("AWS_PROFILE");

	if (!name)
		name = lsv_env("AWS_DEFAULT_PROFILE");
	*is_chosen = name != NULL;
	return name ? name : "default";
}

/* The file that a variable names ("~/" is the home folder), else the usual
 * one; *path is NULL: there is no home. */
static int find_file(const char *variable, const char *usual, char **path)
{
	const char *given = lsv_env(variable);
	const char *home = lsv_env("HOME");

	*path = NULL;
	if (given && strncmp(given, "~/", 2) != 0)
		*path = strdup(given);
	else if (home)
		*path = lsv_path_join(home, given ? given + 2 : usual);
	else
		return 0;
	return *path ? 0 : -ENOMEM;
}

static int read_file(struct lsv_profiles *profiles, enum lsv_profile_file file,
                     const char *path, char why[LSV_PROFILE_WHY_SIZE])
{
	char *text = NULL;
	unsigned bad_line = 0;
	size_t n;
	int r = lsv_file_read(path, FILE_SIZE_MAX, &text, &n);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		snprintf(why, LSV_PROFILE_WHY_SIZE, "cannot read '%s': %s",
		         path, strerror(-r));
		return -EBADMSG;
	}
	r = lsv_profiles_parse(profiles, text, file, &bad_line);
	if (r == -EBADMSG)
		snprintf(why, LSV_PROFILE_WHY_SIZE,
		         "'%s' line %u: expected [PROFILE] or KEY = VALUE",
		         path, bad_line);
	lsv_secret_free(text);
	return r;
}

int lsv_profiles_open(char why[LSV_PROFILE_WHY_SIZE], struct lsv_profiles **out)
{
	static const struct {
		const char *variable, *usual;
		enum lsv_profile_file file;
	} files[] = {
		{"AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials",
	         LSV_PROFILE_CREDENTIALS},
		{"AWS_CONFIG_FILE", ".aws/config", LSV_PROFILE_CONFIG},
	};
	auto_profiles struct lsv_profiles *profiles = NULL;
	int r = lsv_profiles_new(&profiles);

	for (size_t i = 0; r == 0 && i < sizeof files / sizeof *files; i++) {
		auto_free char *path = NULL;

		r = find_file(files[i].variable, files[i].usual, &path);
		if (r == 0 && path)
			r = read_file(profiles, files[i].file, path, why);
	}
	if (r < 0)
		return r;
	*out = take(profiles);
	return 0;
}
