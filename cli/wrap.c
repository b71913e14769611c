#include "cli/wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unilbrk.h>

#include "cli/text.h"

/* The text as it will be printed, and its marks in it. */
struct cleaned {
	char *text;
	size_t length;
	char *breaks; /* of each byte: what may stand before it */
	trawl_span *marks;
	size_t mark_count;
};

static void cleaned_release(struct cleaned *cleaned)
{
	free(cleaned->text);
	free(cleaned->breaks);
	free(cleaned->marks);
}

/* false: memory is short. */
static bool clean(struct cleaned *cleaned, const char *text, size_t length, const trawl_span *marks, size_t mark_count)
{
	*cleaned = (struct cleaned){.marks = calloc(mark_count + 1, sizeof *marks), .mark_count = mark_count};
	FILE *memory = cleaned->marks ? open_memstream(&cleaned->text, &cleaned->length) : NULL;
	if (!memory)
		return false;
	size_t at = 0;
	for (size_t i = 0; i < mark_count; i++) {
		clean_write(memory, text + at, marks[i].start - at, CLEAN_LINE);
		cleaned->marks[i].start = (size_t)ftell(memory);
		clean_write(memory, text + marks[i].start, marks[i].length, CLEAN_LINE);
		cleaned->marks[i].length = (size_t)ftell(memory) - cleaned->marks[i].start;
		at = marks[i].start + marks[i].length;
	}
	clean_write(memory, text + at, length - at, CLEAN_LINE);
	if (fclose(memory) != 0)
		return false;
	cleaned->breaks = malloc(cleaned->length + 1);
	if (cleaned->breaks)
		u8_possible_linebreaks((const uint8_t *)cleaned->text, cleaned->length, "UTF-8", cleaned->breaks);
	return cleaned->breaks;
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

struct writer {
	struct wrapping *wrapping;
	const struct cleaned *cleaned;
	size_t mark; /* the next one to begin or end */
	bool within; /* it */
};

static void new_line(struct wrapping *wrapping)
{
	printf("\n%*s", (int)wrapping->indent, "");
	wrapping->used = wrapping->indent;
}

/* The columns from `at` to `end`, with the marks that begin or end there. */
static size_t columns_between(const struct writer *writer, size_t at, size_t end)
{
	const struct cleaned *cleaned = writer->cleaned;
	size_t columns = text_columns(cleaned->text + at, end - at);
	for (size_t i = writer->mark; i < cleaned->mark_count && cleaned->marks[i].start < end; i++) {
		columns += cleaned->marks[i].start >= at ? writer->wrapping->mark_columns : 0;
		columns +=
		    cleaned->marks[i].start + cleaned->marks[i].length <= end ? writer->wrapping->mark_columns : 0;
	}
	return columns;
}

/* What stands before the byte `at`, or at the end. */
static void write_marks(struct writer *writer, size_t at)
{
	const struct cleaned *cleaned = writer->cleaned;
	for (; writer->mark < cleaned->mark_count; writer->mark++) {
		const trawl_span *span = &cleaned->marks[writer->mark];
		if (!writer->within && span->start <= at) {
			fputs(writer->wrapping->before, stdout);
			writer->wrapping->used += writer->wrapping->mark_columns;
			writer->within = true;
		}
		if (!writer->within || span->start + span->length > at)
			return;
		fputs(writer->wrapping->behind, stdout);
		writer->wrapping->used += writer->wrapping->mark_columns;
		writer->within = false;
	}
}

/* What may not be broken, or is longer than a line and is broken anywhere but before what combines with the character before it. */
static void write_unbroken(struct writer *writer, size_t at, size_t end)
{
	struct wrapping *wrapping = writer->wrapping;
	uint32_t character;
	for (size_t size; at < end; at += size) {
		size = utf8_decode(writer->cleaned->text + at, end - at, &character);
		size_t columns = character_columns(character);
		write_marks(writer, at);
		if (wrapping->columns && columns && wrapping->used > wrapping->indent &&
		    wrapping->used + columns > wrapping->columns)
			new_line(wrapping);
		fwrite(writer->cleaned->text + at, 1, size, stdout);
		wrapping->used += columns;
	}
}

static void write_lines(struct writer *writer)
{
	const struct cleaned *cleaned = writer->cleaned;
	struct wrapping *wrapping = writer->wrapping;
	size_t spaces = 0; /* before the next word, unless a line ends there */
	for (size_t at = 0, end, word_end; at < cleaned->length; at = end) {
		for (end = at + 1; end < cleaned->length && cleaned->breaks[end] != UC_BREAK_POSSIBLE;)
			end++;
		for (word_end = end; word_end > at && cleaned->text[word_end - 1] == ' ';)
			word_end--;
		size_t needed = spaces + columns_between(writer, at, word_end);
		if (wrapping->columns && wrapping->used > wrapping->indent &&
		    wrapping->used + needed > wrapping->columns) {
			new_line(wrapping);
		} else {
			printf("%*s", (int)spaces, "");
			wrapping->used += spaces;
		}
		write_unbroken(writer, at, word_end);
		write_marks(writer, word_end);
		spaces = end - word_end;
	}
	write_marks(writer, cleaned->length);
}

void write_wrapped(struct wrapping *wrapping, const char *text, size_t length, const trawl_span *marks,
                   size_t mark_count)
{
	struct cleaned cleaned;
	struct writer writer = {.wrapping = wrapping, .cleaned = &cleaned};
	if (clean(&cleaned, text, length, marks, mark_count))
		write_lines(&writer);
	else
		clean_write(stdout, text, length, CLEAN_LINE); /* memory is short */
	cleaned_release(&cleaned);
}

size_t write_shortened(const char *text, size_t length, size_t columns)
{
	size_t head, tail;
	shorten_middle(text, length, columns ? columns : SIZE_MAX, &head, &tail);
	clean_write(stdout, text, head, CLEAN_LINE);
	if (head == length)
		return text_columns(text, length);
	fputs(ELLIPSIS, stdout);
	clean_write(stdout, text + tail, length - tail, CLEAN_LINE);
	return text_columns(text, head) + 1 + text_columns(text + tail, length - tail);
}
