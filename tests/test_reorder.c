/* Similar documents become neighbours: the order is a permutation, the same each time, and gathers what belongs together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "indexer/reorder.h"
#include "tests/scratch.h"
#include "tests/seed.h"

#define DOCUMENTS 4096
#define TOPICS 16
#define DOCUMENT_BYTES 32 /* that reordering takes beside its terms */

/* Documents of TOPICS vocabularies, taken in turn, so that neighbours in input order share nothing. */
static void fill(struct batch *batch, uint32_t *order)
{
	trawl_analysis analysis = {.language = "none"};
	struct tokenizer *tokenizer;
	trawl_error error;
	assert_int_equal(tokenizer_new(&tokenizer, &analysis, &error), 0);
	struct piece_maker maker = {0};
	struct piece piece;
	batch_init(batch, 5, false);
	uint32_t random = 12345;
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		char text[256] = "";
		for (int word = 0; word < 12; word++) {
			random = random * 1664525 + 1013904223;
			snprintf(text + strlen(text), sizeof text - strlen(text), "t%uw%u ", i % TOPICS, random >> 26);
		}
		trawl_document document = {.text = text, .text_length = strlen(text)};
		uint32_t length, span;
		assert_int_equal(piece_add(&maker, &batch->lexicon, tokenizer, &document, &length, &span, &error), 0);
		if (i % 100 == 99 || i + 1 == DOCUMENTS) {
			assert_int_equal(piece_finish(&maker, &piece, 5 + batch->document_count, &error), 0);
			assert_int_equal(batch_take(batch, &piece, &error), 0);
		}
		order[i] = 5 + i;
	}
	piece_maker_release(&maker);
	tokenizer_free(tokenizer);
}

static uint32_t topic_changes(const uint32_t *order)
{
	uint32_t changes = 0;
	for (uint32_t i = 1; i < DOCUMENTS; i++)
		changes += (order[i] - 5) % TOPICS != (order[i - 1] - 5) % TOPICS;
	return changes;
}

/* Documents are in `order`, 5 the first. */
static int reorder_as(struct unordered unordered, uint32_t *order, uint32_t count)
{
	static uint32_t docs[DOCUMENTS + 5];
	trawl_error error;
	memset(docs, 0xff, sizeof docs);
	for (uint32_t i = 0; i < count; i++)
		docs[order[i]] = i;
	bool moved;
	unordered.workers = workers_new(unordered.threads);
	if (!unordered.workers)
		return TRAWL_ENOMEM;
	int code = reorder_documents(&unordered, docs, order, count, &moved, &error);
	workers_free(unordered.workers);
	for (uint32_t i = 0; !code && i < count; i++)
		assert_int_equal(docs[order[i]], i);
	return code;
}

static int reorder(const struct batch *batch, uint32_t *order, uint32_t count)
{
	return reorder_as((struct unordered){.batch = batch, .memory = SIZE_MAX, .threads = 1}, order, count);
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

static void similar_documents_become_neighbours(void **state)
{
	(void)state;
	struct batch batch;
	static uint32_t order[DOCUMENTS], again[DOCUMENTS];
	fill(&batch, order);
	memcpy(again, order, sizeof order);
	assert_int_equal(topic_changes(order), DOCUMENTS - 1);
	assert_int_equal(reorder(&batch, order, DOCUMENTS), 0);
	/* Each topic fills four ranges. A range where two topics meet holds them in no order, so a perfect cut is not asked for. */
	assert_true(topic_changes(order) < DOCUMENTS / 4);
	assert_int_equal(reorder(&batch, again, DOCUMENTS), 0);
	assert_memory_equal(order, again, sizeof order);
	qsort(order, DOCUMENTS, sizeof *order, compare);
	for (uint32_t i = 0; i < DOCUMENTS; i++)
		assert_int_equal(order[i], 5 + i);
	batch_release(&batch);
}

static void few_documents_keep_their_order(void **state)
{
	(void)state;
	struct batch batch;
	static uint32_t order[DOCUMENTS];
	fill(&batch, order);
	for (uint32_t count = 0; count <= 64; count += 32) {
		assert_int_equal(reorder(&batch, order, count), 0);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(order[i], 5 + i);
	}
	batch_release(&batch);
}

/* ---- quality ---- */

#define MANY 20000
#define TERMS_EACH 40
#define VOCABULARY 8192

static uint64_t next_random(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 33;
}

/* Documents in clusters within clusters: a term is of one of the 2^level stretches that the corpus falls into, rare ones of small
 * stretches; `shuffled` gives the document of each place. Terms come twice now and then, as they do not in an index: no harm. */
static void make_clustered(struct graph *graph, const uint32_t *shuffled, uint64_t random)
{
	graph->document_count = MANY;
	graph->term_count = VOCABULARY * 9;
	graph->starts = memory_new((MANY + 1) * sizeof *graph->starts);
	graph->terms = memory_new((size_t)MANY * TERMS_EACH * sizeof *graph->terms);
	assert_true(graph->starts && graph->terms);
	for (uint32_t place = 0; place < MANY; place++) {
		uint32_t d = shuffled[place];
		graph->starts[d] = (uint64_t)d * TERMS_EACH;
		for (uint32_t i = 0; i < TERMS_EACH; i++) {
			uint32_t level = (uint32_t)next_random(&random) % 9, width = VOCABULARY >> level;
			uint32_t stretch = (uint32_t)((uint64_t)place << level) / MANY;
			uint32_t term = stretch * width + (uint32_t)(next_random(&random) % width);
			graph->terms[graph->starts[d] + i] = level * VOCABULARY + term;
		}
	}
	graph->starts[MANY] = (uint64_t)MANY * TERMS_EACH;
}

/* Mean bits of a docID gap. */
static double gap_cost(const struct graph *graph, const uint32_t *order)
{
	uint32_t *last = memory_new_zeroed(graph->term_count, sizeof *last); /* place + 1 */
	double bits = 0;
	assert_non_null(last);
	for (uint32_t place = 0; place < MANY; place++)
		for (uint64_t p = graph->starts[order[place]]; p < graph->starts[order[place] + 1]; p++) {
			uint32_t gap = place + 1 - last[graph->terms[p]];
			bits += gap ? log2(gap) : 0;
			last[graph->terms[p]] = place + 1;
		}
	memory_free(last);
	return bits / (double)graph->starts[MANY];
}

static void a_clustered_corpus_is_found_again_when_it_was_shuffled(void **state)
{
	(void)state;
	static uint32_t shuffled[MANY], input[MANY], order[MANY], other[MANY];
	struct graph graph;
	trawl_error error;
	uint64_t random = test_seed();
	for (uint32_t i = 0; i < MANY; i++)
		shuffled[i] = input[i] = i;
	for (uint32_t i = MANY - 1; i; i--) {
		uint32_t j = (uint32_t)(next_random(&random) % (i + 1)), swap = shuffled[i];
		shuffled[i] = shuffled[j];
		shuffled[j] = swap;
	}
	make_clustered(&graph, shuffled, random);
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct workers *workers = workers_new(threads);
		assert_non_null(workers);
		assert_int_equal(graph_bisect(&graph, threads == 1 ? order : other, workers, threads, NULL, &error), 0);
		workers_free(workers);
		if (threads > 1)
			assert_memory_equal(order, other, sizeof order);
	}
	double made = gap_cost(&graph, shuffled), random_cost = gap_cost(&graph, input),
	       found = gap_cost(&graph, order);
	print_message("  bits a gap: %.2f as made, %.2f shuffled, %.2f found\n", made, random_cost, found);
	/* Of what shuffling cost, most comes back. */
	assert_true(random_cost - found > 0.6 * (random_cost - made));
	graph_release(&graph);
}

/* Cut by one thread or together, from the batch or from a run, with room for all terms or for few. */
static void the_order_is_the_same_for_any_threads_and_spilled(void **state)
{
	(void)state;
	struct batch batch;
	struct run runs[1];
	trawl_error error;
	static uint32_t order[DOCUMENTS], expected[DOCUMENTS];
	fill(&batch, order);
	assert_int_equal(run_write(&runs[0], &batch, scratch_path("index"), &error), 0);
	const size_t memories[] = {SIZE_MAX, DOCUMENTS * (DOCUMENT_BYTES + 4 * 8), DOCUMENTS * (DOCUMENT_BYTES + 4)};
	for (size_t m = 0; m < sizeof memories / sizeof *memories; m++)
		for (unsigned threads = 1; threads <= 4; threads++)
			for (size_t run_count = 0; run_count < 2; run_count++) {
				struct unordered unordered = {.batch = &batch,
				                              .runs = runs,
				                              .run_count = run_count,
				                              .memory = memories[m],
				                              .threads = threads};
				for (uint32_t i = 0; i < DOCUMENTS; i++)
					order[i] = 5 + i;
				assert_int_equal(reorder_as(unordered, order, DOCUMENTS), 0);
				if (threads == 1 && !run_count)
					memcpy(expected, order, sizeof order);
				assert_memory_equal(order, expected, sizeof order);
				assert_true((m == 2) == (topic_changes(order) == DOCUMENTS - 1));
			}
	run_release(&runs[0]);
	batch_release(&batch);
	scratch_clear();
}

static void unasked_only_large_commits_are_reordered(void **state)
{
	(void)state;
	assert_true(reorder_wanted(TRAWL_ORDER_SIMILAR, 1));
	assert_false(reorder_wanted(TRAWL_ORDER_INPUT, REORDER_LEAST));
	assert_true(reorder_wanted(TRAWL_ORDER_AUTO, REORDER_LEAST));
	assert_false(reorder_wanted(TRAWL_ORDER_AUTO, REORDER_LEAST - 1));
	assert_int_equal(((trawl_writer_options){0}).order, TRAWL_ORDER_AUTO);
}

static void running_out_of_memory_is_an_error(void **state)
{
	(void)state;
	struct batch batch;
	static uint32_t order[DOCUMENTS];
	int code = TRAWL_ENOMEM;
	fill(&batch, order);
	for (long n = 0; code; n++) {
		memory_fail_after(n, true);
		code = reorder(&batch, order, DOCUMENTS);
		memory_fail_after(-1, false);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
	}
	batch_release(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(similar_documents_become_neighbours),
	    cmocka_unit_test(few_documents_keep_their_order),
	    cmocka_unit_test(the_order_is_the_same_for_any_threads_and_spilled),
	    cmocka_unit_test(a_clustered_corpus_is_found_again_when_it_was_shuffled),
	    cmocka_unit_test(unasked_only_large_commits_are_reordered),
	    cmocka_unit_test(running_out_of_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
