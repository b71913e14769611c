#include "indexer/graveyard.h"

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
static int append_terms(struct grave *grave, struct segment *segment, struct tokenizer *tokenizer, trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	struct term_entry entry;
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0) {
		if (grave->term_count + (size_t)count > grave->room / sizeof *grave->terms)
			return 0;
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

/* The deletions being written: the counts of the older dead, merged with the new ones as these come, ascending. */
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

/* What was found when the dead were analysed. */
static bool count_terms(struct grave *grave, struct account *account)
{
	bool done = true;
	if (grave->term_count)
		qsort(grave->terms, grave->term_count, sizeof *grave->terms, compare_numbers);
	for (size_t i = 0, end; done && i < grave->term_count; i = end) {
		for (end = i + 1; end < grave->term_count && grave->terms[end] == grave->terms[i];)
			end++;
		done = add_count(account, grave->terms[i], (uint32_t)(end - i));
	}
	return done;
}

/* The postings of one term that the new dead have. */
struct dead_postings {
	struct grave *grave;
	uint32_t count;
};

static void count_dead(void *context, const uint32_t *docs, const uint32_t *tfs, uint32_t count)
{
	struct dead_postings *dead = context;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t is_dead = grave_has(dead->grave, docs[i]);
		dead->count += is_dead;
		dead->grave->tokens += is_dead ? tfs[i] : 0;
	}
}

/* Find what the dead take with them in all posting lists of the segment. A term's count goes out at once: there may be as many
 * postings of the dead as the segment has. */
static int read_lists(struct grave *grave, struct segment *segment, struct account *account, trawl_error *error)
{
	struct terms_cursor cursor = {0};
	struct dead_postings dead = {.grave = grave};
	uint64_t room = postings_visit_room(segment->documents_count), least = 0;
	struct postings_visit visit = {memory_new(room * sizeof *visit.docs), memory_new(room * sizeof *visit.tfs),
	                               count_dead, &dead};
	int code = visit.docs && visit.tfs ? 1 : error_set_memory(error);
	grave->tokens = grave->postings = 0;
	while (code == 1 && (code = terms_next(&segment->terms, &cursor, error)) == 1) {
		dead.count = 0;
		int failed = postings_visit(segment, &cursor.entry, &visit, error);
		if (!failed && cursor.entry.number < least)
			failed = part_corrupt(&segment->terms.part, 0, "terms out of order", error);
		least = cursor.entry.number + 1;
		grave->postings += dead.count;
		if (!failed && !add_count(account, cursor.entry.number, dead.count))
			failed = error_set_memory(error);
		code = failed ? failed : 1;
	}
	memory_free(visit.docs);
	memory_free(visit.tfs);
	return code;
}

static int write_deletions(struct grave *grave, struct segment *segment, bool by_lists, struct buffer *out,
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
		store64(words + 8 * i, grave->words[i] | (account.old->words ? account.old->words[i] : 0));
	int code = by_lists ? read_lists(grave, segment, &account, error) : 0;
	if (!code && !by_lists && !count_terms(grave, &account))
		code = error_set_memory(error);
	if (!code && !add_rest(&account))
		code = error_set_memory(error);
	deletions_end(&account.writer);
	return code;
}

int grave_write(struct grave *grave, struct segment *segment, struct manifest_segment *summary, struct buffer *out,
                trawl_error *error)
{
	bool all_dead = segment->summary.deleted + grave->deaths == segment->summary.documents;
	int code = write_deletions(grave, segment, grave->by_lists && !all_dead, out, error);
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
