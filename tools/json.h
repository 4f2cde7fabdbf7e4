/* SPDX-License-Identifier: MIT */
#ifndef LSVFS_JSON_H
#define LSVFS_JSON_H

/*
 * What a command prints with -json.  Out of memory is remembered in the
 * document and shows when it is printed, so that nobody asks before.
 *
 *	struct json *json = json_open();
 *	json_text(json, "generation", text);
 *	json_int(json, "txid", 5);
 *	json_begin_array(json, "replicas");
 *	json_begin_object(json, NULL);
 *	json_end(json);
 *	json_end(json);
 *	return json_print(json);
 */

#include <stdbool.h>
#include <stdint.h>

struct json;

struct json *json_open(void); /* an object; NULL: out of memory, also fine */

/* Within an array the name is NULL.  A text of NULL is null. */
void json_text(struct json *json, const char *name, const char *text);
void json_int(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_time(struct json *json, const char *name, int64_t ns);
void json_hex64(struct json *json, const char *name, uint64_t value);

void json_begin_object(struct json *json, const char *name);
void json_begin_array(struct json *json, const char *name);
void json_end(struct json *json); /* the innermost one */

/* Prints it to stdout, with a newline, and frees it.  -ENOMEM, or -EIO when
 * stdout takes it not. */
int json_print(struct json *json);

#endif
