/* wrap.h - lines of a terminal: text broken between words, names shortened in the middle. */
#ifndef TRAWL_CLI_WRAP_H
#define TRAWL_CLI_WRAP_H

#include <stddef.h>

#include "trawl.h"

struct wrapping {
	size_t columns; /* of a line; 0: lines do not end */
	size_t indent;  /* of the lines after the first */
	size_t used;    /* columns of the first line that stand already; afterwards those of the last line */
	const char *before, *behind; /* what stands around marks */
	size_t mark_columns;         /* that either of them takes */
};

/* Print text cleaned for a terminal, broken where Unicode (UAX 14) lets lines end, and within words that are longer than a line.
 * The marks are spans of it, ascending. */
void write_wrapped(struct wrapping *wrapping, const char *text, size_t length, const trawl_span *marks,
                   size_t mark_count);

/* Print a name in one line of up to `columns` columns, with an ellipsis in the place of its middle if need be; 0 columns: all of it.
 * Returns the columns it takes. */
size_t write_shortened(const char *text, size_t length, size_t columns);

#endif
