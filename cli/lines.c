#include "cli/lines.h"

#include <stdio.h>
#include <string.h>

#include "cli/standard.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What people's editors put around lines, which is no part of them. */
static void drop_decoration(struct lines *lines, bool first)
{
	size_t mark = strlen(BYTE_ORDER_MARK);
	if (lines->length == lines->total && lines->length > 0 && lines->bytes[lines->length - 1] == '\r')
		lines->total = --lines->length;
	if (!first || lines->length < mark || memcmp(lines->bytes, BYTE_ORDER_MARK, mark) != 0)
		return;
	memmove(lines->bytes, lines->bytes + mark, lines->length - mark);
	lines->length -= mark;
	lines->total -= mark;
}

static int next_byte(void)
{
	int c;
	do
		c = getc_unlocked(stdin);
	while (c == EOF && standard_input_wait());
	return c;
}

bool lines_next(struct lines *lines)
{
	int c = next_byte();
	bool first = !lines->begun;
	lines->length = lines->total = 0;
	lines->begun = true;
	if (c == EOF)
		return false;
	for (; c != EOF && c != lines->end; c = next_byte()) {
		if (lines->length < LINE_MAX_BYTES)
			lines->bytes[lines->length++] = (char)c;
		lines->total++;
	}
	if (lines->end == '\n')
		drop_decoration(lines, first);
	return true;
}
