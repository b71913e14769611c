/* Similar documents become neighbours: the order is a permutation, the same each time, and gathers what belongs together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "indexer/reorder.h"

#define DOCUMENTS 4096
#define TOPICS 16

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
static int reorder(const struct batch *batch, uint32_t *order, uint32_t count)
{
	static uint32_t docs[DOCUMENTS + 5];
	trawl_error error;
	memset(docs, 0xff, sizeof docs);
	for (uint32_t i = 0; i < count; i++)
		docs[order[i]] = i;
	bool moved;
	struct workers *workers = workers_new(1);
	if (!workers)
		return TRAWL_ENOMEM;
	struct unordered unordered = {.batch = batch, .memory = SIZE_MAX, .workers = workers, .threads = 1};
	int code = reorder_documents(&unordered, docs, order, count, &moved, &error);
	workers_free(workers);
	for (uint32_t i = 0; !code && i < count; i++)
		assert_int_equal(docs[order[i]], i);
	return code;
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
	    cmocka_unit_test(running_out_of_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
