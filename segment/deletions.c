#include "segment/deletions.h"

#include <string.h>

#include "base/bytes.h"
#include "trawl.h"

#define MARKED 64 /* terms: so many are looked at one by one */

static size_t word_count(uint32_t documents)
{
	return ((size_t)documents + 63) / 64;
}

static size_t mark_count(const struct deletions *deletions)
{
	return ((size_t)deletions->term_count + MARKED - 1) / MARKED;
}

/* Check the terms, and note where every 64th is. */
static bool mark_terms(struct deletions *deletions)
{
	const uint8_t *at = deletions->terms, *end = at + deletions->terms_bytes;
	uint64_t number = 0;
	bool good = true;
	for (uint32_t i = 0; i < deletions->term_count; i++) {
		size_t offset = (size_t)(at - deletions->terms);
		uint64_t difference = varint_next(&at, end, &good), deleted = varint_next(&at, end, &good);
		bool is_ascending = difference || !i;
		if (!good || !is_ascending || deleted > UINT32_MAX ||
		    __builtin_add_overflow(number, difference, &number))
			return false;
		if (i % MARKED == 0)
			deletions->marks[i / MARKED] = (struct deletions_mark){number, offset};
	}
	return at == end;
}

int deletions_read(struct deletions *deletions, const uint8_t *bytes, uint64_t length, uint32_t documents,
                   uint32_t deleted, const char **wrong)
{
	size_t words = word_count(documents);
	*wrong = "deletions of the wrong length";
	if (length < 4 + 8 * words + 4 || load32(bytes) != documents)
		return TRAWL_ECORRUPT;
	const uint8_t *end = bytes + length, *at = bytes + 4 + 8 * words;
	uint32_t count = load32(at), found = 0;
	at += 4;
	*wrong = "deletions that are cut off";
	if (count > (uint64_t)(end - at))
		return TRAWL_ECORRUPT;
	deletions->terms_bytes = (size_t)(end - at);
	deletions->term_count = count;
	deletions->words = memory_new(8 * words);
	deletions->terms = memory_new(deletions->terms_bytes);
	deletions->marks = memory_new(mark_count(deletions) * sizeof *deletions->marks);
	if (!deletions->words || !deletions->terms || !deletions->marks)
		return TRAWL_ENOMEM;
	memcpy(deletions->words, bytes + 4, 8 * words);
	memcpy(deletions->terms, at, deletions->terms_bytes);
	for (size_t i = 0; i < words; i++)
		found += (uint32_t)__builtin_popcountll(deletions->words[i]);
	*wrong = "deletions that contradict the manifest";
	bool past_end = documents % 64 && deletions->words[words - 1] >> (documents % 64);
	return mark_terms(deletions) && found == deleted && !past_end ? 0 : TRAWL_ECORRUPT;
}

void deletions_release(struct deletions *deletions)
{
	memory_free(deletions->words);
	memory_free(deletions->terms);
	memory_free(deletions->marks);
	*deletions = (struct deletions){0};
}

size_t deletions_memory(const struct deletions *deletions, uint32_t documents)
{
	if (!deletions->words)
		return 0;
	return 8 * word_count(documents) + deletions->terms_bytes + mark_count(deletions) * sizeof *deletions->marks;
}

bool deletions_next(const struct deletions *deletions, struct deletions_cursor *cursor)
{
	const uint8_t *at = deletions->terms + cursor->offset, *end = deletions->terms + deletions->terms_bytes;
	bool good = true;
	if (!deletions->terms || at == end)
		return false;
	cursor->number += varint_next(&at, end, &good);
	cursor->count = (uint32_t)varint_next(&at, end, &good);
	cursor->offset = (size_t)(at - deletions->terms);
	return good;
}

uint32_t deletions_df(const struct deletions *deletions, uint64_t term)
{
	struct deletions_cursor cursor = {0};
	size_t low = 0, high = mark_count(deletions);
	if (!high || deletions->marks[0].number > term)
		return 0;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (deletions->marks[middle].number <= term)
			low = middle;
		else
			high = middle;
	}
	cursor.offset = deletions->marks[low].offset;
	if (!deletions_next(deletions, &cursor))
		return 0;
	cursor.number = deletions->marks[low].number; /* what its record has is the difference to the one before */
	while (cursor.number < term && deletions_next(deletions, &cursor))
		;
	return cursor.number == term ? cursor.count : 0;
}

bool deletions_begin(struct deletions_writer *writer, struct buffer *out, uint32_t documents)
{
	size_t words = 8 * word_count(documents);
	*writer = (struct deletions_writer){.out = out};
	if (!buffer_append(out, &documents, 4) || !buffer_reserve(out, words + 4))
		return false;
	memset(out->data + out->length, 0, words + 4);
	writer->count_at = out->length + words;
	out->length += words + 4;
	return true;
}

bool deletions_put(struct deletions_writer *writer, uint64_t number, uint32_t count)
{
	uint64_t difference = number - writer->number;
	writer->number = number;
	writer->term_count++;
	return buffer_append_varint(writer->out, difference) && buffer_append_varint(writer->out, count);
}

void deletions_end(struct deletions_writer *writer)
{
	store32(writer->out->data + writer->count_at, writer->term_count);
}
