/* reserved.h - the name that stored fields keep free for what a document has beside them: {"_trawl":{"file":F}, ...}. */
#ifndef TRAWL_BASE_RESERVED_H
#define TRAWL_BASE_RESERVED_H

#include <stddef.h>
#include <string.h>

#define RESERVED_NAME "_trawl"
#define RESERVED_FILE "\"" RESERVED_NAME "\":{\"file\":"

/* The bytes of stored fields from their brace to behind that member, if it is the first; else 0. */
static inline size_t reserved_length(const char *fields, size_t length)
{
	size_t at = strlen("{" RESERVED_FILE);
	if (length <= at || memcmp(fields, "{" RESERVED_FILE, at) != 0)
		return 0;
	if (fields[at] == '"') {
		const char *quote = (const char *)memchr(fields + at + 1, '"', length - at - 1);
		at = quote ? (size_t)(quote - fields) + 1 : length;
	} else {
		at += strlen("true");
	}
	return at < length && fields[at] == '}' ? at + 1 : 0;
}

#endif
