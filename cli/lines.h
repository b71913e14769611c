/* lines.h - standard input, line by line. */
#ifndef TRAWL_CLI_LINES_H
#define TRAWL_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* More than a query or an id may have. */
#define LINE_MAX_BYTES ((size_t)1 << 16)

struct lines {
	char end;      /* of a line: '\n' or 0 */
	bool begun;    /* a line was read */
	size_t length; /* of what is kept: LINE_MAX_BYTES of it at most */
	size_t total;  /* of the whole line */
	char bytes[LINE_MAX_BYTES];
};

/* Read the next line: without its end, and where that is '\n' without a '\r' before it and a byte order mark at the start of the
 * input. false at the end of the input, or (see ferror) when it cannot be read. */
bool lines_next(struct lines *lines);

#endif
