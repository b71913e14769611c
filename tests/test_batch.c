/* Batches: their inversion is what sorting every occurrence gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/inverted.h"
#include "tests/made_lists.h"

static trawl_error error;

static void compare_with_sorting(const struct random_corpus *corpus, const struct batch *batch, size_t first,
                                 size_t end, const uint32_t *docs, struct tokenizer *tokenizer)
{
	struct buffer inverted = {0}, expected = {0};
	struct term_sink sink = dump_sink(&inverted);
	assert_int_equal(batch_invert(batch, docs, &sink, &error), 0);
	dump_naively(&expected, corpus, first, end, docs, tokenizer);
	assert_same_dump(&inverted, &expected);
	buffer_release(&inverted);
	buffer_release(&expected);
}

static void inversion_equals_sorting(void **state)
{
	(void)state;
	struct random random = seeded();
	for (int stop_words = 0; stop_words < 2; stop_words++) {
		struct random_corpus corpus;
		struct batch batch;
		batch_init(&batch, 0, stop_words);
		random_corpus_make(&corpus, &random, 300);
		struct tokenizer *tokenizer = tokenizer_with(stop_words);
		struct tokenizer *other = tokenizer_with(stop_words);
		fill_batch(&batch, &corpus, 0, corpus.count, tokenizer);
		assert_int_equal(batch.document_count, corpus.count);
		compare_with_sorting(&corpus, &batch, 0, corpus.count, NULL, other);
		batch_release(&batch);
		tokenizer_free(tokenizer);
		tokenizer_free(other);
		random_corpus_release(&corpus);
	}
}

static void inversion_leaves_documents_out_and_renumbers_the_rest(void **state)
{
	(void)state;
	struct random random = seeded();
	struct random_corpus corpus;
	struct batch batch;
	batch_init(&batch, 0, false);
	random_corpus_make(&corpus, &random, 200);
	uint32_t *docs = malloc(corpus.count * sizeof *docs), next = 0;
	for (size_t i = 0; i < corpus.count; i++)
		docs[i] = random_chance(&random, 0.4) ? DOCUMENT_NONE : next++;
	struct tokenizer *tokenizer = tokenizer_with(false), *other = tokenizer_with(false);
	fill_batch(&batch, &corpus, 0, corpus.count, tokenizer);
	compare_with_sorting(&corpus, &batch, 0, corpus.count, docs, other);
	for (size_t i = 0; i < corpus.count; i++)
		docs[i] = DOCUMENT_NONE;
	compare_with_sorting(&corpus, &batch, 0, corpus.count, docs, other); /* nothing at all */
	batch_release(&batch);
	tokenizer_free(tokenizer);
	tokenizer_free(other);
	random_corpus_release(&corpus);
	free(docs);
}

/* Whole pieces, records at a piece's beginning or end, and terms: whatever is left out leaves the rest as it was. */
static void inversion_leaves_out_any_share(void **state)
{
	(void)state;
	struct random random = seeded();
	struct random_corpus corpus;
	struct batch batch;
	batch_init(&batch, 0, true);
	random_corpus_make(&corpus, &random, 150);
	uint32_t *docs = malloc(corpus.count * sizeof *docs);
	struct tokenizer *tokenizer = tokenizer_with(false), *other = tokenizer_with(false);
	fill_batch(&batch, &corpus, 0, corpus.count, tokenizer);
	for (int round = 0; round < 30; round++) {
		uint32_t next = 0, run = 0;
		bool out = false;
		for (size_t i = 0; i < corpus.count; i++) {
			if (!run--) {
				run = (uint32_t)random_below(&random, 1 + (uint64_t)round);
				out = !out;
			}
			docs[i] = out ? DOCUMENT_NONE : next++;
		}
		compare_with_sorting(&corpus, &batch, 0, corpus.count, docs, other);
	}
	batch_release(&batch);
	tokenizer_free(tokenizer);
	tokenizer_free(other);
	random_corpus_release(&corpus);
	free(docs);
}

/* A range of terms at a time, as several threads would. */
static void ranges_of_terms_make_the_whole(void **state)
{
	(void)state;
	struct random random = seeded();
	struct random_corpus corpus;
	struct batch batch;
	struct buffer whole = {0}, parts = {0};
	struct inversion inversion;
	batch_init(&batch, 0, true);
	random_corpus_make(&corpus, &random, 100);
	struct tokenizer *tokenizer = tokenizer_with(false);
	fill_batch(&batch, &corpus, 0, corpus.count, tokenizer);
	struct term_sink sink = dump_sink(&whole), same = dump_sink(&parts);
	assert_int_equal(batch_invert(&batch, NULL, &sink, &error), 0);
	for (size_t bytes = 1; bytes < 100000; bytes *= 10) {
		same = dump_sink(&parts);
		assert_int_equal(inversion_prepare(&inversion, &batch, NULL, bytes, &error), 0);
		assert_int_equal(inversion.range_ends[inversion.range_count - 1], inversion.term_count);
		for (size_t range = 0; range < inversion.range_count; range++)
			assert_int_equal(inversion_run(&inversion, range, &same, &error), 0);
		inversion_release(&inversion);
		assert_same_dump(&parts, &whole);
	}
	buffer_release(&whole);
	buffer_release(&parts);
	batch_release(&batch);
	tokenizer_free(tokenizer);
	random_corpus_release(&corpus);
}

static void an_empty_batch_has_no_terms(void **state)
{
	(void)state;
	struct batch batch;
	batch_init(&batch, 0, false);
	struct buffer inverted = {0};
	struct term_sink sink = dump_sink(&inverted);
	assert_int_equal(batch_invert(&batch, NULL, &sink, &error), 0);
	assert_int_equal(inverted.length, 0);
	batch_release(&batch);
	buffer_release(&inverted);
}

static void title_and_text_are_one_stream_of_positions(void **state)
{
	(void)state;
	static const trawl_document document = {"id", 2, "big fish", 8, "fish swim", 9, "", 0};
	struct batch batch;
	batch_init(&batch, 0, false);
	struct buffer inverted = {0};
	uint32_t length, span;
	struct tokenizer *tokenizer = tokenizer_with(false);
	add_document(&batch, &document, tokenizer, &length, &span);
	assert_int_equal(length, 4);
	assert_int_equal(span, 4);
	struct term_sink sink = dump_sink(&inverted);
	assert_int_equal(batch_invert(&batch, NULL, &sink, &error), 0);
	static const char expected[] = "big 0:0,\nfish 0:1,2,\nswim 0:3,\n";
	assert_int_equal(inverted.length, sizeof expected - 1);
	assert_memory_equal(inverted.data, expected, inverted.length);
	batch_release(&batch);
	buffer_release(&inverted);
	tokenizer_free(tokenizer);
}

static void dropped_stop_words_widen_the_span_and_not_the_length(void **state)
{
	(void)state;
	static const trawl_document document = {"id", 2, "the fish", 8, "of the sea and the", 18, "", 0};
	struct batch batch;
	batch_init(&batch, 0, false);
	struct buffer inverted = {0};
	uint32_t length, span;
	struct tokenizer *tokenizer = tokenizer_with(true);
	add_document(&batch, &document, tokenizer, &length, &span);
	assert_int_equal(length, 2);
	assert_int_equal(span, 5);
	struct term_sink sink = dump_sink(&inverted);
	assert_int_equal(batch_invert(&batch, NULL, &sink, &error), 0);
	static const char expected[] = "fish 0:1,\nsea 0:4,\n";
	assert_int_equal(inverted.length, sizeof expected - 1);
	assert_memory_equal(inverted.data, expected, inverted.length);
	batch_release(&batch);
	buffer_release(&inverted);
	tokenizer_free(tokenizer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inversion_equals_sorting),
	    cmocka_unit_test(inversion_leaves_documents_out_and_renumbers_the_rest),
	    cmocka_unit_test(inversion_leaves_out_any_share),
	    cmocka_unit_test(ranges_of_terms_make_the_whole),
	    cmocka_unit_test(an_empty_batch_has_no_terms),
	    cmocka_unit_test(title_and_text_are_one_stream_of_positions),
	    cmocka_unit_test(dropped_stop_words_widen_the_span_and_not_the_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
