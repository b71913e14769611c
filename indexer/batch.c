#include "indexer/batch.h"

#include <string.h>

#include "base/error.h"

#define TOKENS_AT_A_TIME 256

/* ---- adding ---- */

/* Append what the tokenizer yields; positions that it leaves out become gaps. *position: the next one expected. */
static int append_tokens(struct batch *batch, struct tokenizer *tokenizer, uint32_t *position, uint32_t *length,
                         trawl_error *error)
{
	struct token tokens[TOKENS_AT_A_TIME];
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, TOKENS_AT_A_TIME)) > 0) {
		size_t span = (size_t)(tokens[count - 1].position - *position) + 1;
		if (!memory_reserve(&batch->tokens, &batch->token_capacity, batch->token_count + span,
		                    sizeof *batch->tokens))
			return error_set_memory(error);
		uint32_t *out = batch->tokens + batch->token_count;
		for (int i = 0; i < count; i++) {
			struct word *word = tokens[i].word;
			if (word->tag == WORD_TAG_NONE) {
				word->tag = vocabulary_number(&batch->vocabulary, word->term, word->term_length);
				if (word->tag == WORD_TAG_NONE)
					return error_set_memory(error);
			}
			for (; *position < tokens[i].position; ++*position)
				*out++ = WORD_TAG_NONE;
			*out++ = word->tag;
			++*position;
		}
		batch->token_count = (size_t)(out - batch->tokens);
		*length += (uint32_t)count;
	}
	return count < 0 ? error_set_memory(error) : 0;
}

int batch_add(struct batch *batch, struct tokenizer *tokenizer, const trawl_document *document, uint32_t *length,
              uint32_t *span, trawl_error *error)
{
	*span = 0;
	if (!memory_reserve(&batch->starts, &batch->start_capacity, batch->document_count + 1, sizeof *batch->starts))
		return error_set_memory(error);
	batch->starts[batch->document_count] = batch->token_count;
	*length = 0;
	tokenizer_start(tokenizer, document->title, document->title_length);
	int code = append_tokens(batch, tokenizer, span, length, error);
	if (!code) {
		tokenizer_continue(tokenizer, document->text, document->text_length);
		code = append_tokens(batch, tokenizer, span, length, error);
	}
	if (code)
		batch->token_count = batch->starts[batch->document_count];
	else
		batch->document_count++;
	return code;
}

size_t batch_memory(const struct batch *batch)
{
	/* tokens at their capacity; while inverting 8 bytes a token, and cursors and order of the terms */
	return vocabulary_memory(&batch->vocabulary) + batch->token_capacity * sizeof *batch->tokens +
	       batch->start_capacity * sizeof *batch->starts + batch->token_count * sizeof(uint64_t) +
	       (size_t)batch->vocabulary.count * (sizeof(uint64_t) + sizeof(uint32_t));
}

/* The memory goes back too: kept, it would count against the budget and make the next run a small one. */
void batch_reset(struct batch *batch)
{
	uint32_t next = batch->first_ordinal + (uint32_t)batch->document_count;
	batch_release(batch);
	batch->first_ordinal = next;
}

void batch_release(struct batch *batch)
{
	vocabulary_release(&batch->vocabulary);
	memory_free(batch->tokens);
	memory_free(batch->starts);
	*batch = (struct batch){0};
}

/* ---- inverting ---- */

/* An occurrence: docID in the high half, position in the low one. */
struct inversion {
	const struct batch *batch;
	const uint32_t *docs;  /* docID of each ordinal; NULL: as it is */
	const uint32_t *order; /* or the ordinal of each docID, `document_count` of them */
	uint32_t document_count;
	uint64_t *occurrences,
	    *ends; /* ends[t]: where term t's occurrences end (while scattering: where the next goes) */
	uint32_t *sorted;
	uint32_t *list_docs, *list_tfs;
	size_t docs_capacity, tfs_capacity;
	const uint64_t *next; /* of the list being handed over */
};

static int next_positions(void *context, uint32_t count, uint32_t *positions, trawl_error *error)
{
	(void)error;
	struct inversion *inversion = context;
	for (uint32_t i = 0; i < count; i++)
		positions[i] = (uint32_t)inversion->next[i];
	inversion->next += count;
	return 0;
}

/* The documents in the order of their docIDs: number `step` of them is the batch's document *index. */
static uint32_t doc_at(const struct inversion *inversion, uint32_t step, size_t *index)
{
	if (inversion->order) {
		*index = inversion->order[step] - inversion->batch->first_ordinal;
		return step;
	}
	*index = step;
	uint32_t ordinal = inversion->batch->first_ordinal + step;
	return inversion->docs ? inversion->docs[ordinal] : ordinal;
}

static uint64_t document_end(const struct batch *batch, size_t index)
{
	return index + 1 < batch->document_count ? batch->starts[index + 1] : batch->token_count;
}

/* Counting sort by term: count, turn counts into starts, scatter in docID order. */
static void scatter(struct inversion *inversion)
{
	const struct batch *batch = inversion->batch;
	uint64_t *cursors = inversion->ends, sum = 0;
	size_t d;
	memset(cursors, 0, batch->vocabulary.count * sizeof *cursors);
	for (uint32_t step = 0; step < inversion->document_count; step++)
		if (doc_at(inversion, step, &d) != DOCUMENT_NONE)
			for (uint64_t i = batch->starts[d]; i < document_end(batch, d); i++)
				if (batch->tokens[i] != WORD_TAG_NONE)
					cursors[batch->tokens[i]]++;
	for (uint32_t t = 0; t < batch->vocabulary.count; t++) {
		uint64_t count = cursors[t];
		cursors[t] = sum;
		sum += count;
	}
	for (uint32_t step = 0; step < inversion->document_count; step++) {
		uint64_t doc = doc_at(inversion, step, &d), start = batch->starts[d];
		if (doc == DOCUMENT_NONE)
			continue;
		for (uint64_t i = start; i < document_end(batch, d); i++)
			if (batch->tokens[i] != WORD_TAG_NONE)
				inversion->occurrences[cursors[batch->tokens[i]]++] = doc << 32 | (i - start);
	}
}

static int hand_over(struct inversion *inversion, uint32_t term, const struct term_sink *sink, trawl_error *error)
{
	const struct vocabulary *vocabulary = &inversion->batch->vocabulary;
	uint64_t start = term ? inversion->ends[term - 1] : 0, end = inversion->ends[term];
	if (start == end)
		return 0; /* all its documents were left out */
	if (!memory_reserve(&inversion->list_docs, &inversion->docs_capacity, end - start, sizeof(uint32_t)) ||
	    !memory_reserve(&inversion->list_tfs, &inversion->tfs_capacity, end - start, sizeof(uint32_t)))
		return error_set_memory(error);
	uint32_t df = 0;
	for (uint64_t i = start; i < end; df++) {
		uint32_t doc = (uint32_t)(inversion->occurrences[i] >> 32), tf = 1;
		while (i + tf < end && inversion->occurrences[i + tf] >> 32 == doc)
			tf++;
		inversion->list_docs[df] = doc;
		inversion->list_tfs[df] = tf;
		i += tf;
	}
	inversion->next = inversion->occurrences + start;
	struct position_source source = {next_positions, inversion};
	return sink->term(sink->context, vocabulary->terms[term].bytes, vocabulary_length(vocabulary, term),
	                  inversion->list_docs, inversion->list_tfs, df, &source, error);
}

static int invert(struct inversion inversion, const struct term_sink *sink, trawl_error *error)
{
	const struct batch *batch = inversion.batch;
	uint32_t count = batch->vocabulary.count;
	inversion.occurrences = memory_new(batch->token_count * sizeof *inversion.occurrences);
	inversion.ends = memory_new(count * sizeof *inversion.ends);
	inversion.sorted = memory_new(count * sizeof *inversion.sorted);
	int code = 0;
	if (!inversion.occurrences || !inversion.ends || !inversion.sorted ||
	    !vocabulary_sort(&batch->vocabulary, inversion.sorted))
		code = error_set_memory(error);
	else
		scatter(&inversion);
	for (uint32_t i = 0; !code && i < count; i++)
		code = hand_over(&inversion, inversion.sorted[i], sink, error);
	memory_free(inversion.occurrences);
	memory_free(inversion.ends);
	memory_free(inversion.sorted);
	memory_free(inversion.list_docs);
	memory_free(inversion.list_tfs);
	return code;
}

int batch_invert(const struct batch *batch, const uint32_t *docs, const struct term_sink *sink, trawl_error *error)
{
	return invert(
	    (struct inversion){.batch = batch, .docs = docs, .document_count = (uint32_t)batch->document_count}, sink,
	    error);
}

int batch_invert_ordered(const struct batch *batch, const uint32_t *order, uint32_t count, const struct term_sink *sink,
                         trawl_error *error)
{
	return invert((struct inversion){.batch = batch, .order = order, .document_count = count}, sink, error);
}
