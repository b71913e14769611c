/*
 * reserved.h - the member "_trawl", which holds what a document has beside its title, its text and the fields that its user knows.
 *
 * In stored fields, it is the first member: {"_trawl":{"file":F}, ...}, where F is the path of the file that the document came from, or
 * true where the id is that path. It is hidden wherever fields are shown, and only export prints it when asked.
 *
 * In what export writes, it is the last member, where the others cannot say all (docs/trawl.1, TRAWL EXPORT): id, title, text are the
 * exact bytes, fields the stored object, if it must not be mixed with the others, or its exact bytes; file as above. All bytes are
 * strings with %XX for whatever is not printable ASCII, and for '%', '"' and '\'. The reader is input/reserved.c.
 */
#ifndef TRAWL_CLI_RESERVED_H
#define TRAWL_CLI_RESERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "trawl.h"

#define RESERVED_NAME "_trawl"

/* Where a document came from. */
struct origin {
	bool known;
	bool is_id;       /* the id is the file's path */
	const char *file; /* else this, escaped, within the document's fields */
	size_t file_length;
};

/* The document's origin, within its fields. */
void origin_read(const trawl_document *document, struct origin *origin);

/* Take the origin out of the document's fields, which are then those that its user knows. `*memory` is what they may need; free it
 * after the document. false: out of memory. */
bool origin_take(trawl_document *document, struct origin *origin, char **memory);

/* The path, unescaped, in `path` of `size` bytes with a NUL behind it; false: it is none, or too long. */
bool origin_path(const struct origin *origin, const trawl_document *document, char *path, size_t size);

/* Put an origin into the document's fields, unless there is one. `*memory` as above, and may hold an older block. */
bool origin_put(trawl_document *document, const char *file, char **memory, size_t *capacity);

/* Write bytes so that they can stand in a JSON string and be read back. */
void bytes_write(FILE *out, const char *bytes, size_t length);

/* Whether it is UTF-8. */
bool is_text(const char *bytes, size_t length);

#endif
