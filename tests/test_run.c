/* Runs: however a collection is cut into runs, and however these are combined, merging gives what one inversion gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "indexer/run.h"
#include "tests/check.h"
#include "tests/inverted.h"
#include "tests/made_lists.h"
#include "tests/scratch.h"

static trawl_error error;

/* Cut the corpus into `count` runs of about the same number of documents. */
static struct run *write_runs(const struct random_corpus *corpus, size_t count)
{
	struct run *runs = calloc(count, sizeof *runs);
	struct batch batch;
	batch_init(&batch, 0, false);
	for (size_t i = 0; i < count; i++) {
		size_t first = corpus->count * i / count, end = corpus->count * (i + 1) / count;
		/* its tags belong to one batch */
		struct tokenizer *fresh = tokenizer_with(false);
		fill_batch(&batch, corpus, first, end, fresh);
		CHECK(run_write(&runs[i], &batch, scratch_path("index"), &error));
		batch_reset(&batch);
		tokenizer_free(fresh);
	}
	batch_release(&batch);
	return runs;
}

static void release_runs(struct run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_release(&runs[i]);
	free(runs);
}

static void merge_and_compare(const struct run *runs, size_t count, const uint32_t *docs, const struct buffer *expected)
{
	struct buffer merged = {0};
	struct term_sink sink = dump_sink(&merged);
	CHECK(runs_merge(runs, count, docs, &sink, &error));
	assert_same_dump(&merged, expected);
	buffer_release(&merged);
}

static void merged_runs_equal_one_inversion(void **state)
{
	(void)state;
	struct random random = seeded();
	struct random_corpus corpus;
	struct buffer expected = {0};
	random_corpus_make(&corpus, &random, 250);
	struct tokenizer *tokenizer = tokenizer_with(false);
	uint32_t *docs = malloc(corpus.count * sizeof *docs), next = 0;
	for (size_t i = 0; i < corpus.count; i++)
		docs[i] = random_chance(&random, 0.3) ? DOCUMENT_NONE : next++;
	const size_t counts[] = {1, 2, 7, 64, 65, 200, 250};
	for (int dead = 0; dead < 2; dead++) {
		dump_naively(&expected, &corpus, 0, corpus.count, dead ? docs : NULL, tokenizer);
		for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
			struct run *runs = write_runs(&corpus, counts[i]);
			merge_and_compare(runs, counts[i], dead ? docs : NULL, &expected);
			release_runs(runs, counts[i]);
		}
	}
	buffer_release(&expected);
	tokenizer_free(tokenizer);
	random_corpus_release(&corpus);
	free(docs);
}

static void combined_runs_equal_one_inversion(void **state)
{
	(void)state;
	struct random random = seeded();
	struct random_corpus corpus;
	struct buffer expected = {0};
	random_corpus_make(&corpus, &random, 200);
	struct tokenizer *tokenizer = tokenizer_with(false);
	uint32_t *docs = malloc(corpus.count * sizeof *docs), next = 0;
	for (size_t i = 0; i < corpus.count; i++)
		docs[i] = random_chance(&random, 0.3) ? DOCUMENT_NONE : next++;
	dump_naively(&expected, &corpus, 0, corpus.count, docs, tokenizer);
	const size_t count = 3 * RUNS_MAX;
	struct run *runs = write_runs(&corpus, count);
	/* 64 at a time, and the combined ones once more with the rest */
	struct run combined[3], last;
	for (size_t i = 0; i < 3; i++)
		CHECK(run_combine(&combined[i], runs + i * RUNS_MAX, RUNS_MAX, scratch_path("index"), &error));
	merge_and_compare(combined, 3, docs, &expected);
	CHECK(run_combine(&last, combined, 3, scratch_path("index"), &error));
	merge_and_compare(&last, 1, docs, &expected);
	for (size_t i = 0; i < 3; i++)
		run_release(&combined[i]);
	run_release(&last);
	release_runs(runs, count);
	buffer_release(&expected);
	tokenizer_free(tokenizer);
	random_corpus_release(&corpus);
	free(docs);
}

static void runs_without_terms_merge_to_nothing(void **state)
{
	(void)state;
	struct batch batch;
	batch_init(&batch, 0, false);
	struct run runs[3];
	struct buffer merged = {0};
	for (int i = 0; i < 3; i++)
		CHECK(run_write(&runs[i], &batch, scratch_path("index"), &error));
	struct term_sink sink = dump_sink(&merged);
	CHECK(runs_merge(runs, 3, NULL, &sink, &error));
	CHECK(runs_merge(runs, 0, NULL, &sink, &error));
	assert_int_equal(merged.length, 0);
	for (int i = 0; i < 3; i++)
		run_release(&runs[i]);
	buffer_release(&merged);
	batch_release(&batch);
}

static void a_run_leaves_no_name_behind_and_needs_its_folder(void **state)
{
	(void)state;
	struct batch batch;
	batch_init(&batch, 0, false);
	struct run run;
	CHECK(run_write(&run, &batch, scratch_path("lonely"), &error));
	assert_int_equal(open(scratch_path("lonely"), O_RDONLY), -1);
	run_release(&run);
	assert_int_equal(run_write(&run, &batch, scratch_path("no/such/folder/index"), &error), TRAWL_ENOTFOUND);
	batch_release(&batch);
}

static int refuse(void *context, const struct term_list *list, trawl_error *unused)
{
	(void)context, (void)list, (void)unused;
	return TRAWL_EFULL;
}

static void a_failing_sink_ends_the_merge_with_its_code(void **state)
{
	(void)state;
	struct random random = {3};
	struct random_corpus corpus;
	random_corpus_make(&corpus, &random, 20);
	struct run *runs = write_runs(&corpus, 2);
	struct term_sink sink = {refuse, NULL};
	assert_int_equal(runs_merge(runs, 2, NULL, &sink, &error), TRAWL_EFULL);
	release_runs(runs, 2);
	random_corpus_release(&corpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merged_runs_equal_one_inversion),
	    cmocka_unit_test(combined_runs_equal_one_inversion),
	    cmocka_unit_test(runs_without_terms_merge_to_nothing),
	    cmocka_unit_test(a_run_leaves_no_name_behind_and_needs_its_folder),
	    cmocka_unit_test(a_failing_sink_ends_the_merge_with_its_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
