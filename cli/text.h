/* text.h - text from documents made safe to print: for terminals and as JSON. */
#ifndef TRAWL_CLI_TEXT_H
#define TRAWL_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The length of the valid UTF-8 character at `text`, and the character; 1 and U+FFFD for an invalid byte. */
size_t utf8_decode(const char *text, size_t length, uint32_t *character);

/* The columns that a character takes on a terminal once it is cleaned: 0, 1 or 2; and those of a text. */
unsigned character_columns(uint32_t character);
size_t text_columns(const char *text, size_t length);

/* Where to cut a text of more than `columns` columns, of which one is for an ellipsis: the first *head bytes and what follows from
 * *tail on are left, the end of a path longer than its beginning. Both are `length` for a text that fits. */
#define ELLIPSIS "\xe2\x80\xa6"
void shorten_middle(const char *text, size_t length, size_t columns, size_t *head, size_t *tail);

enum clean_mode {
	CLEAN_LINE, /* one line: white space becomes a space */
	CLEAN_TEXT  /* line ends and tabs stay */
};

/* Write UTF-8 with nothing in it that steers a terminal: control characters, bidirectional controls and invalid bytes
 * become U+FFFD. */
void clean_write(FILE *out, const char *text, size_t length, enum clean_mode mode);

/* The same in one line of at most `limit` characters, ending in an ellipsis when cut. */
void clean_write_cut(FILE *out, const char *text, size_t length, size_t limit);

/* Write the inside of a JSON string, and with its quotation marks. Invalid bytes become U+FFFD. */
void json_write_escaped(FILE *out, const char *text, size_t length);
void json_write_string(FILE *out, const char *text, size_t length);

/* Write JSON as it is but for line ends, which become spaces; within its strings, bytes that are not UTF-8 become U+FFFD, and
 * characters that steer a terminal are escaped. */
void json_write_raw(FILE *out, const char *json, size_t length);

#endif
