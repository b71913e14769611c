#include "indexer/graveyard.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "segment/length.h"
#include "segment/postings_read.h"

#define TOKENS_AT_A_TIME 256

/* To analyse so many documents takes about as long as to read the lists of a segment that has `documents`. */
#define ANALYSED_MAX(documents) (64 + (documents) / 50)

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

/* Append the term numbers of a text's tokens, repeated as the text repeats them: 1; 0: some term is not the segment's. */
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
			if (found <= 0)
				return found;
			grave->terms[grave->term_count++] = entry.number;
		}
	}
	return count < 0 ? error_set_memory(error) : 1;
}

/* The distinct terms of a document: 1; 0: analysis does not give what the segment has for it. */
static int analyse(struct grave *grave, struct segment *segment, uint32_t doc, const trawl_document *document,
                   struct tokenizer *tokenizer, trawl_error *error)
{
	size_t first = grave->term_count, kept = first;
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_terms(grave, segment, tokenizer, error);
	if (code == 1) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_terms(grave, segment, tokenizer, error);
	}
	size_t tokens = grave->term_count - first;
	if (code == 1 && length_encode((uint32_t)tokens) != segment->lengths[doc])
		code = 0;
	if (code != 1)
		return code;
	if (tokens)
		qsort(grave->terms + first, tokens, sizeof *grave->terms, compare_numbers);
	for (size_t i = first; i < grave->term_count; i++)
		if (i == first || grave->terms[i] != grave->terms[i - 1])
			grave->terms[kept++] = grave->terms[i];
	grave->tokens += tokens;
	grave->postings += kept - first;
	grave->term_count = kept;
	return 1;
}

int grave_add(struct grave *grave, struct segment *segment, uint32_t doc, const trawl_document *document,
              struct tokenizer *tokenizer, trawl_error *error)
{
	size_t words = ((size_t)segment->documents_count + 63) / 64;
	if (!grave->words && !(grave->words = memory_new_zeroed(words, 8)))
		return error_set_memory(error);
	if (!grave->by_lists && grave->deaths >= ANALYSED_MAX(segment->documents_count))
		grave->by_lists = true;
	if (!grave->by_lists) {
		int code = analyse(grave, segment, doc, document, tokenizer, error);
		if (code < 0)
			return code;
		grave->by_lists = code == 0;
	}
	if (grave->by_lists) {
		memory_free(grave->terms);
		grave->terms = NULL;
		grave->term_count = grave->term_capacity = 0;
	}
	grave->text_bytes += document->title_length + document->text_length;
	grave->words[doc / 64] |= (uint64_t)1 << (doc % 64);
	grave->deaths++;
	return 0;
}

/* The postings of one term that the new dead have. */
static int count_dead(struct grave *grave, const struct term_entry *entry, const uint32_t *docs, const uint32_t *tfs,
                      trawl_error *error)
{
	uint32_t dead = 0;
	for (uint32_t i = 0; i < entry->df; i++) {
		uint32_t is_dead = grave_has(grave, docs[i]);
		dead += is_dead;
		grave->tokens += is_dead ? tfs[i] : 0;
	}
	grave->postings += dead;
	if (!memory_reserve(&grave->terms, &grave->term_capacity, grave->term_count + dead, sizeof *grave->terms))
		return error_set_memory(error);
	for (uint32_t i = 0; i < dead; i++)
		grave->terms[grave->term_count++] = entry->number;
	return 0;
}

/* Find what the dead take with them in all posting lists of the segment. */
static int read_lists(struct grave *grave, struct segment *segment, trawl_error *error)
{
	struct terms_cursor cursor = {0};
	uint64_t room = postings_read_room(segment->documents_count);
	uint32_t *docs = memory_new(room * sizeof *docs), *tfs = memory_new(room * sizeof *tfs);
	int code = docs && tfs ? 1 : error_set_memory(error);
	grave->tokens = grave->postings = 0;
	while (code == 1 && (code = terms_next(&segment->terms, &cursor, error)) == 1) {
		int failed = postings_read(segment, &cursor.entry, docs, tfs, error);
		if (!failed)
			failed = count_dead(grave, &cursor.entry, docs, tfs, error);
		code = failed ? failed : 1;
	}
	memory_free(docs);
	memory_free(tfs);
	return code;
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

static int write_deletions(struct grave *grave, const struct segment *segment, struct buffer *out, trawl_error *error)
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
	return done ? 0 : error_set_memory(error);
}

int grave_write(struct grave *grave, struct segment *segment, struct manifest_segment *summary, struct buffer *out,
                trawl_error *error)
{
	bool all_dead = segment->summary.deleted + grave->deaths == segment->summary.documents;
	int code = grave->by_lists && !all_dead ? read_lists(grave, segment, error) : 0;
	if (!code)
		code = write_deletions(grave, segment, out, error);
	if (code)
		return code;
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
