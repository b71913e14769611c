#include "indexer/delete_buffer.h"

#include <stdlib.h>

#include "base/bytes.h"
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

/* Append the term numbers of a text's tokens, repeated as the text repeats them: 1; 0: some term is not the segment's, or there is
 * no room for them. */
static int append_terms(struct delete_buffer *deletes, struct segment *segment, struct tokenizer *tokenizer,
                        trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	struct term_entry entry;
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0) {
		if (deletes->term_count + (size_t)count > deletes->room / sizeof *deletes->terms)
			return 0;
		if (!memory_reserve(&deletes->terms, &deletes->term_capacity, deletes->term_count + (size_t)count,
		                    sizeof *deletes->terms))
			return error_set_memory(error);
		for (int i = 0; i < count; i++) {
			int found = terms_find(&segment->terms, tokens[i].word->term, tokens[i].word->term_length,
			                       &entry, error);
			if (found <= 0)
				return found;
			deletes->terms[deletes->term_count++] = entry.number;
		}
	}
	return count < 0 ? error_set_memory(error) : 1;
}

/* The distinct terms of a document: 1; 0: analysis does not give what the segment has for it. */
static int analyse(struct delete_buffer *deletes, struct segment *segment, uint32_t doc, const trawl_document *document,
                   struct tokenizer *tokenizer, trawl_error *error)
{
	size_t first = deletes->term_count, kept = first;
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_terms(deletes, segment, tokenizer, error);
	if (code == 1) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_terms(deletes, segment, tokenizer, error);
	}
	size_t tokens = deletes->term_count - first;
	if (code == 1 && length_encode((uint32_t)tokens) != segment->lengths[doc])
		code = 0;
	if (code != 1)
		return code;
	if (tokens)
		qsort(deletes->terms + first, tokens, sizeof *deletes->terms, compare_numbers);
	for (size_t i = first; i < deletes->term_count; i++)
		if (i == first || deletes->terms[i] != deletes->terms[i - 1])
			deletes->terms[kept++] = deletes->terms[i];
	deletes->tokens += tokens;
	deletes->postings += kept - first;
	deletes->term_count = kept;
	return 1;
}

int delete_buffer_add(struct delete_buffer *deletes, struct segment *segment, uint32_t doc,
                      const trawl_document *document, struct tokenizer *tokenizer, trawl_error *error)
{
	size_t words = ((size_t)segment->documents_count + 63) / 64;
	if (!deletes->words && !(deletes->words = memory_new_zeroed(words, 8)))
		return error_set_memory(error);
	if (!deletes->by_lists && deletes->count >= ANALYSED_MAX(segment->documents_count))
		deletes->by_lists = true;
	if (!deletes->by_lists) {
		int code = analyse(deletes, segment, doc, document, tokenizer, error);
		if (code < 0)
			return code;
		deletes->by_lists = code == 0;
	}
	if (deletes->by_lists) {
		memory_free(deletes->terms);
		deletes->terms = NULL;
		deletes->term_count = deletes->term_capacity = 0;
	}
	deletes->text_bytes += document->title_length + document->text_length;
	deletes->words[doc / 64] |= (uint64_t)1 << (doc % 64);
	deletes->count++;
	return 0;
}

/* The deletions being written: the counts of the older deletions, merged with the new ones as these come, ascending. */
struct account {
	struct deletions_writer writer;
	const struct deletions *old;
	struct deletions_cursor next; /* of the old ones */
	bool has_next;
};

static bool add_count(struct account *account, uint64_t number, uint32_t count)
{
	bool done = true;
	for (; done && account->has_next && account->next.number < number;
	     account->has_next = deletions_next(account->old, &account->next))
		done = deletions_put(&account->writer, account->next.number, account->next.count);
	if (account->has_next && account->next.number == number) {
		count += account->next.count;
		account->has_next = deletions_next(account->old, &account->next);
	}
	return done && (!count || deletions_put(&account->writer, number, count));
}

static bool add_rest(struct account *account)
{
	bool done = true;
	for (; done && account->has_next; account->has_next = deletions_next(account->old, &account->next))
		done = deletions_put(&account->writer, account->next.number, account->next.count);
	return done;
}

/* What was found when the deleted ones were analysed. */
static bool count_terms(struct delete_buffer *deletes, struct account *account)
{
	bool done = true;
	if (deletes->term_count)
		qsort(deletes->terms, deletes->term_count, sizeof *deletes->terms, compare_numbers);
	for (size_t i = 0, end; done && i < deletes->term_count; i = end) {
		for (end = i + 1; end < deletes->term_count && deletes->terms[end] == deletes->terms[i];)
			end++;
		done = add_count(account, deletes->terms[i], (uint32_t)(end - i));
	}
	return done;
}

/* The postings of one term that the newly deleted documents have. */
struct deleted_postings {
	struct delete_buffer *deletes;
	uint32_t count;
};

static void count_deleted(void *context, const uint32_t *docs, const uint32_t *tfs, uint32_t count)
{
	struct deleted_postings *deleted = context;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t is_deleted = delete_buffer_has(deleted->deletes, docs[i]);
		deleted->count += is_deleted;
		deleted->deletes->tokens += is_deleted ? tfs[i] : 0;
	}
}

/* Find what the deleted ones take with them in all posting lists of the segment. A term's count goes out at once: there may be as many
 * postings of the deleted ones as the segment has. */
static int read_lists(struct delete_buffer *deletes, struct segment *segment, struct account *account,
                      trawl_error *error)
{
	struct terms_cursor cursor = {0};
	struct deleted_postings deleted = {.deletes = deletes};
	uint64_t room = postings_visit_room(segment->documents_count), least = 0;
	struct postings_visit visit = {memory_new(room * sizeof *visit.docs), memory_new(room * sizeof *visit.tfs),
	                               count_deleted, &deleted};
	int code = visit.docs && visit.tfs ? 1 : error_set_memory(error);
	deletes->tokens = deletes->postings = 0;
	while (code == 1 && (code = terms_next(&segment->terms, &cursor, error)) == 1) {
		deleted.count = 0;
		int failed = postings_visit(segment, &cursor.entry, &visit, error);
		if (!failed && cursor.entry.number < least)
			failed = part_corrupt(&segment->terms.part, 0, "terms out of order", error);
		least = cursor.entry.number + 1;
		deletes->postings += deleted.count;
		if (!failed && !add_count(account, cursor.entry.number, deleted.count))
			failed = error_set_memory(error);
		code = failed ? failed : 1;
	}
	memory_free(visit.docs);
	memory_free(visit.tfs);
	return code;
}

static int write_deletions(struct delete_buffer *deletes, struct segment *segment, bool by_lists, struct buffer *out,
                           trawl_error *error)
{
	uint32_t documents = segment->documents_count;
	struct account account = {.old = &segment->deletions};
	account.has_next = deletions_next(account.old, &account.next);
	out->length = 0;
	if (!deletions_begin(&account.writer, out, documents))
		return error_set_memory(error);
	uint8_t *words = deletions_words(&account.writer, documents);
	for (size_t i = 0; i < ((size_t)documents + 63) / 64; i++)
		store64(words + 8 * i, deletes->words[i] | (account.old->words ? account.old->words[i] : 0));
	int code = by_lists ? read_lists(deletes, segment, &account, error) : 0;
	if (!code && !by_lists && !count_terms(deletes, &account))
		code = error_set_memory(error);
	if (!code && !add_rest(&account))
		code = error_set_memory(error);
	deletions_end(&account.writer);
	return code;
}

int delete_buffer_write(struct delete_buffer *deletes, struct segment *segment, struct manifest_segment *summary,
                        struct buffer *out, trawl_error *error)
{
	bool all_deleted = segment->summary.deleted + deletes->count == segment->summary.documents;
	int code = write_deletions(deletes, segment, deletes->by_lists && !all_deleted, out, error);
	if (code)
		return code;
	summary->deleted += deletes->count;
	summary->live_tokens -= deletes->tokens;
	summary->live_postings -= deletes->postings;
	summary->live_text_bytes -= deletes->text_bytes;
	summary->deletion_bytes = out->length;
	return 0;
}

void delete_buffer_release(struct delete_buffer *deletes)
{
	memory_free(deletes->words);
	memory_free(deletes->terms);
	*deletes = (struct delete_buffer){0};
}
