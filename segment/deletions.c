#include "segment/deletions.h"

#include <string.h>

#include "base/bytes.h"
#include "trawl.h"

static size_t word_count(uint32_t documents)
{
	return ((size_t)documents + 63) / 64;
}

static bool parse_terms(struct deletions *deletions, const uint8_t *at, const uint8_t *end, uint32_t count)
{
	uint64_t number = 0;
	bool good = true;
	for (uint32_t i = 0; i < count; i++) {
		number += varint_next(&at, end, &good);
		uint64_t deleted = varint_next(&at, end, &good);
		if (!good || deleted > UINT32_MAX)
			return false;
		deletions->terms[i] = (struct dead_term){number, (uint32_t)deleted};
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
	*wrong = "deletions that are cut off";
	if (count > (uint64_t)(end - at))
		return TRAWL_ECORRUPT;
	deletions->words = memory_new(8 * words);
	if (!deletions->words ||
	    !memory_reserve(&deletions->terms, &deletions->term_capacity, count, sizeof *deletions->terms))
		return TRAWL_ENOMEM;
	memcpy(deletions->words, bytes + 4, 8 * words);
	for (size_t i = 0; i < words; i++)
		found += (uint32_t)__builtin_popcountll(deletions->words[i]);
	deletions->term_count = count;
	*wrong = "deletions that contradict the manifest";
	bool past_end = documents % 64 && deletions->words[words - 1] >> (documents % 64);
	return parse_terms(deletions, at + 4, end, count) && found == deleted && !past_end ? 0 : TRAWL_ECORRUPT;
}

bool deletions_write(const struct deletions *deletions, uint32_t documents, struct buffer *out)
{
	uint32_t count = (uint32_t)deletions->term_count;
	bool done = buffer_append(out, &documents, 4) &&
	            buffer_append(out, deletions->words, 8 * word_count(documents)) && buffer_append(out, &count, 4);
	uint64_t number = 0;
	for (uint32_t i = 0; done && i < count; i++) {
		done = buffer_append_varint(out, deletions->terms[i].number - number) &&
		       buffer_append_varint(out, deletions->terms[i].count);
		number = deletions->terms[i].number;
	}
	return done;
}

void deletions_release(struct deletions *deletions)
{
	memory_free(deletions->words);
	memory_free(deletions->terms);
	*deletions = (struct deletions){0};
}

uint32_t deletions_df(const struct deletions *deletions, uint64_t term)
{
	size_t low = 0, high = deletions->term_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (deletions->terms[middle].number < term)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < deletions->term_count && deletions->terms[low].number == term;
	return found ? deletions->terms[low].count : 0;
}
