#include "tests/inverted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static trawl_error error;

static void say(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct buffer *out, const char *format, ...)
{
	char text[64];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	assert_true(buffer_append(out, text, (size_t)length));
}

static int dump_term(void *context, const struct term_list *list, trawl_error *unused)
{
	struct buffer *out = context;
	assert_true(list->df > 0);
	assert_true(buffer_append(out, list->term, list->length));
	for (uint32_t i = 0; i < list->df; i++) {
		uint32_t *positions = malloc(list->tfs[i] * sizeof *positions);
		assert_true(list->tfs[i] > 0);
		assert_int_equal(list->source->next(list->source->context, list->tfs[i], positions, unused), 0);
		say(out, " %u:", list->docs[i]);
		for (uint32_t j = 0; j < list->tfs[i]; j++)
			say(out, "%u,", positions[j]);
		free(positions);
	}
	say(out, "\n");
	return 0;
}

struct term_sink dump_sink(struct buffer *out)
{
	out->length = 0;
	return (struct term_sink){dump_term, out};
}

/* ---- the same by sorting ---- */

struct occurrence {
	uint8_t length;
	char term[255];
	uint32_t doc, position;
};

struct occurrences {
	struct occurrence *all;
	size_t count, capacity;
};

static int compare_occurrences(const void *a, const void *b)
{
	const struct occurrence *left = a, *right = b;
	int order = memcmp(left->term, right->term, left->length < right->length ? left->length : right->length);
	if (!order)
		order = left->length - right->length;
	if (!order)
		order = (left->doc > right->doc) - (left->doc < right->doc);
	return order ? order : (left->position > right->position) - (left->position < right->position);
}

static void take_tokens(struct occurrences *occurrences, struct tokenizer *tokenizer, uint32_t doc, uint32_t *position)
{
	struct token tokens[7];
	int count;
	while ((count = tokenizer_next(tokenizer, tokens, 7)) > 0)
		for (int i = 0; i < count; i++) {
			assert_true(memory_reserve(&occurrences->all, &occurrences->capacity, occurrences->count + 1,
			                           sizeof *occurrences->all));
			struct occurrence *new = &occurrences->all[occurrences->count++];
			*new = (struct occurrence){.length = tokens[i].word->term_length, .doc = doc};
			memcpy(new->term, tokens[i].word->term, new->length);
			*position = new->position = tokens[i].position;
		}
	assert_int_equal(count, 0);
}

void dump_naively(struct buffer *out, const struct random_corpus *corpus, size_t first, size_t end,
                  const uint32_t *docs, struct tokenizer *tokenizer)
{
	struct occurrences found = {0};
	uint32_t position;
	for (size_t i = first; i < end; i++) {
		const trawl_document *document = &corpus->documents[i];
		uint32_t doc = docs ? docs[i] : (uint32_t)i;
		if (doc == DOCUMENT_NONE)
			continue;
		tokenizer_start(tokenizer, document->title, document->title_length);
		take_tokens(&found, tokenizer, doc, &position);
		tokenizer_continue(tokenizer, document->text, document->text_length);
		take_tokens(&found, tokenizer, doc, &position);
	}
	if (found.count)
		qsort(found.all, found.count, sizeof *found.all, compare_occurrences);
	out->length = 0;
	for (size_t i = 0; i < found.count; i++) {
		const struct occurrence *this = &found.all[i], *last = i ? this - 1 : NULL;
		bool same = last && last->length == this->length && memcmp(last->term, this->term, this->length) == 0;
		if (!same) {
			if (last)
				say(out, "\n");
			assert_true(buffer_append(out, this->term, this->length));
		}
		if (!same || last->doc != this->doc)
			say(out, " %u:", this->doc);
		say(out, "%u,", this->position);
	}
	if (found.count)
		say(out, "\n");
	memory_free(found.all);
}

/* Pieces of 1 to 40 documents. */
void fill_batch(struct batch *batch, const struct random_corpus *corpus, size_t first, size_t end,
                struct tokenizer *tokenizer)
{
	struct piece_maker maker = {0};
	struct piece piece;
	uint32_t length, span;
	for (size_t i = first; i < end; i++) {
		if (piece_add(&maker, &batch->lexicon, tokenizer, &corpus->documents[i], &length, &span, &error))
			fail_msg("%s", error.text);
		if (maker.document_count <= i * 7 % 40 && i + 1 < end)
			continue;
		uint32_t ordinal = (uint32_t)(batch->first_ordinal + batch->document_count);
		if (piece_finish(&maker, &piece, ordinal, &error) || batch_take(batch, &piece, &error))
			fail_msg("%s", error.text);
	}
	piece_maker_release(&maker);
}

void add_document(struct batch *batch, const trawl_document *document, struct tokenizer *tokenizer, uint32_t *length,
                  uint32_t *span)
{
	struct piece_maker maker = {0};
	struct piece piece;
	uint32_t ordinal = batch->first_ordinal + batch->document_count;
	if (piece_add(&maker, &batch->lexicon, tokenizer, document, length, span, &error) ||
	    piece_finish(&maker, &piece, ordinal, &error) || batch_take(batch, &piece, &error))
		fail_msg("%s", error.text);
	piece_maker_release(&maker);
}

void assert_same_dump(const struct buffer *a, const struct buffer *b)
{
	size_t same = 0, shorter = a->length < b->length ? a->length : b->length;
	while (same < shorter && a->data[same] == b->data[same])
		same++;
	if (same == a->length && same == b->length)
		return;
	size_t from = same > 60 ? same - 60 : 0;
	fail_msg("%zu and %zu bytes; they differ at %zu:\n  %.*s\n  %.*s", a->length, b->length, same,
	         (int)(a->length - from > 120 ? 120 : a->length - from), (const char *)a->data + from,
	         (int)(b->length - from > 120 ? 120 : b->length - from), (const char *)b->data + from);
}

struct tokenizer *tokenizer_with(bool stop_words)
{
	struct tokenizer *tokenizer;
	trawl_analysis analysis = {"english", stop_words, false};
	if (tokenizer_new(&tokenizer, &analysis, &error))
		fail_msg("%s", error.text);
	return tokenizer;
}
