#include "indexer/graveyard.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define TOKENS_AT_A_TIME 256

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

/* Append the term numbers of a text's tokens, repeated as the text repeats them. */
static int append_terms(struct grave *grave, struct segment *segment, struct tokenizer *tokenizer, trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	struct term_entry entry;
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0) {
		if (!memory_reserve(&grave->terms, &grave->term_capacity, grave->term_count + (size_t)count,
		                    sizeof *grave->terms))
			return error_set_memory(error);
		for (int i = 0; i < count; i++) {
			int found = terms_find(&segment->terms, tokens[i].word->term, tokens[i].word->term_length,
			                       &entry, error);
			if (found < 0)
				return found;
			if (!found)
				return part_corrupt(&segment->terms.part, 0,
				                    "a stored document has a term that the dictionary lacks", error);
			grave->terms[grave->term_count++] = entry.number;
		}
		grave->tokens += (uint64_t)count;
	}
	return count < 0 ? error_set_memory(error) : 0;
}

int grave_add(struct grave *grave, struct segment *segment, uint32_t doc, const trawl_document *document,
              struct tokenizer *tokenizer, trawl_error *error)
{
	size_t words = ((size_t)segment->documents_count + 63) / 64, first = grave->term_count, kept = first;
	if (!grave->words && !(grave->words = memory_new_zeroed(words, 8)))
		return error_set_memory(error);
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_terms(grave, segment, tokenizer, error);
	if (!code) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_terms(grave, segment, tokenizer, error);
	}
	if (code)
		return code;
	if (grave->term_count > first)
		qsort(grave->terms + first, grave->term_count - first, sizeof *grave->terms, compare_numbers);
	for (size_t i = first; i < grave->term_count; i++)
		if (i == first || grave->terms[i] != grave->terms[i - 1])
			grave->terms[kept++] = grave->terms[i];
	grave->postings += kept - first;
	grave->term_count = kept;
	grave->text_bytes += document->title_length + document->text_length;
	grave->words[doc / 64] |= (uint64_t)1 << (doc % 64);
	grave->deaths++;
	return 0;
}

/* Merge the counts of the older dead with the new ones, both ascending. */
static bool merge_terms(struct grave *grave, const struct deletions *old, struct deletions *merged)
{
	size_t from_old = 0, from_new = 0;
	if (grave->term_count)
		qsort(grave->terms, grave->term_count, sizeof *grave->terms, compare_numbers);
	while (from_old < old->term_count || from_new < grave->term_count) {
		if (!memory_reserve(&merged->terms, &merged->term_capacity, merged->term_count + 1,
		                    sizeof *merged->terms))
			return false;
		struct dead_term *term = &merged->terms[merged->term_count++];
		uint64_t a = from_old < old->term_count ? old->terms[from_old].number : UINT64_MAX;
		uint64_t b = from_new < grave->term_count ? grave->terms[from_new] : UINT64_MAX;
		*term = (struct dead_term){a < b ? a : b, 0};
		if (a == term->number)
			term->count = old->terms[from_old++].count;
		for (; from_new < grave->term_count && grave->terms[from_new] == term->number; from_new++)
			term->count++;
	}
	return true;
}

int grave_write(struct grave *grave, const struct segment *segment, struct manifest_segment *summary,
                struct buffer *out, trawl_error *error)
{
	size_t words = ((size_t)segment->documents_count + 63) / 64;
	struct deletions merged = {.words = memory_new(words * 8)};
	bool done = merged.words && merge_terms(grave, &segment->deletions, &merged);
	if (done) {
		for (size_t i = 0; i < words; i++)
			merged.words[i] =
			    grave->words[i] | (segment->deletions.words ? segment->deletions.words[i] : 0);
		out->length = 0;
		done = deletions_write(&merged, segment->documents_count, out);
	}
	deletions_release(&merged);
	if (!done)
		return error_set_memory(error);
	summary->deleted += grave->deaths;
	summary->live_tokens -= grave->tokens;
	summary->live_postings -= grave->postings;
	summary->live_text_bytes -= grave->text_bytes;
	summary->deletion_bytes = out->length;
	return 0;
}

void grave_release(struct grave *grave)
{
	memory_free(grave->words);
	memory_free(grave->terms);
	*grave = (struct grave){0};
}
