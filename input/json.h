/* json.h - a document from a JSON object. The only file that knows the JSON parser is json.cc. */
#ifndef TRAWL_INPUT_JSON_H
#define TRAWL_INPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "trawl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Nesting of arrays and objects within a field; deeper is refused. */
#define JSON_DEPTH_MAX 512

/* The bytes of an id; longer ids, and empty ones, are refused. */
#define JSON_ID_MAX 4096

enum json_role { JSON_ID, JSON_TITLE, JSON_TEXT, JSON_ROLES };

struct json_parser;

struct json_options {
	const char *names[JSON_ROLES]; /* of the fields for the roles; two roles may share one */
	const char *second_id;         /* the field that is the id where there is no other; or NULL */
	bool auto_id;                  /* documents need no id */
};

/* The strings are copied. */
int json_parser_new(struct json_parser **out, const struct json_options *options, trawl_error *error);
void json_parser_free(struct json_parser *parser); /* NULL is fine */

/*
 * Read the object in `line`, behind which READER_PADDING more bytes can be read. The pointers in `document` go into the
 * line or the parser and live until the next call with it.
 *   id             a string of 1 to JSON_ID_MAX bytes, or a number, which stays as it is written; must be there unless auto_id, where
 *                  it may also be null or empty, and id_length is 0 then
 *   title, text    a string; a number, true or false, as it is written; an array of these, which are joined by "\n"; null, also within
 *                  the array, or absent: nothing
 *   other fields   go to `fields`, a JSON object of them as they are written
 * The last of several fields with one name wins; `fields` keeps them all. The whole line must be valid JSON (RFC 8259)
 * and UTF-8; an escaped surrogate without its other half is refused.
 * TRAWL_EINPUT: the text says what is wrong, `*column` (from 1, in bytes) where, or 0. TRAWL_ENOMEM.
 */
int json_parser_read(struct json_parser *parser, const char *line, size_t length, trawl_document *document,
                     size_t *column, trawl_error *error);

/* Make each escaped surrogate in `text` that is without its other half an escaped U+FFFD. Whether there was one. */
bool json_replace_surrogates(char *text, size_t length);

/* The name of a field of `fields`, of a document just read, that looks like its text though it has another name than asked for; NULL:
 * none. *length: its bytes. */
const char *json_find_text(const trawl_document *document, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
