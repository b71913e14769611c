/* content.h - what the first bytes of a file say that it is: text, in which encoding, or which kind of binary file. */
#ifndef TRAWL_INPUT_CONTENT_H
#define TRAWL_INPUT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes of the beginning are looked at. */
#define CONTENT_HEAD ((size_t)4 << 10)

struct content {
	const char *binary;   /* what it is instead of text, and what to do; or NULL. Static storage. */
	const char *encoding; /* iconv's name for what a byte order mark told; or NULL. Static storage. */
	size_t mark;          /* bytes of that mark */
};

/* `head`: the first `length` bytes, decompressed; at most CONTENT_HEAD of them are looked at. `encoded`: it is in an encoding that is
 * known, in which NULs may mean something else. */
void content_examine(const uint8_t *head, size_t length, bool encoded, struct content *content);

/* The same for what came out of a conversion: NULL, or what is wrong with it. */
const char *content_examine_converted(const uint8_t *head, size_t length);

/* Whether it begins as JSON with objects in it does: '{' and a name, or '[' and '{', whatever white space is between. */
bool content_begins_as_json(const uint8_t *head, size_t length);

/* Whether it begins with '[' and ']', likewise. */
bool content_is_empty_array(const uint8_t *head, size_t length);

/* Whether a line begins with '{'. */
bool content_has_object_line(const uint8_t *head, size_t length);

#endif
