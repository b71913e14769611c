/* What the deleted take with them: the statistics of the live documents are exact, whichever way the deleted are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "segment/segment.h"
#include "tests/index_verbs.h"
#include "tests/random_corpus.h"
#include "trawl.h"

#define DOCUMENTS 400
#define WORDS 60 /* of the vocabulary; all have endings that English stemming takes away */

/* Document `number`: some words, often the same ones. */
static void add_document(trawl_writer *writer, int number)
{
	struct random random = {(uint64_t)number + 1};
	char id[16], text[2048];
	size_t length = 0, words = 5 + random_below(&random, 60);
	snprintf(id, sizeof id, "%d", number);
	for (size_t i = 0; i < words; i++) {
		unsigned word = (unsigned)(random_below(&random, WORDS) * random_below(&random, WORDS)) / WORDS;
		length += (size_t)snprintf(text + length, sizeof text - length, "w%urunning ", word);
	}
	trawl_document document = {
	    .id = id, .id_length = strlen(id), .title = "", .text = text, .text_length = length, .fields = ""};
	CHECK(trawl_writer_add(writer, &document, &error));
}

/* An index of those of the documents that `keep` keeps. */
static void make(const char *path, bool (*keep)(int number))
{
	trawl_writer *writer = writer_open(path);
	for (int i = 0; i < DOCUMENTS; i++)
		if (!keep || keep(i))
			add_document(writer, i);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

static void delete_number(trawl_writer *writer, int number)
{
	char id[16];
	int length = snprintf(id, sizeof id, "%d", number);
	CHECK(trawl_writer_delete(writer, id, (size_t)length, &error));
}

static bool is_kept(int number)
{
	return number % 3 != 0;
}

/* Delete all that are not kept, `at_once` in each commit. */
static void delete_some(const char *path, int at_once)
{
	trawl_writer *writer = writer_open(path);
	int deleted = 0;
	for (int i = 0; i < DOCUMENTS; i++) {
		if (is_kept(i))
			continue;
		delete_number(writer, i);
		if (++deleted % at_once == 0)
			CHECK(trawl_writer_commit(writer, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

/* The index says what a fresh one of the same documents says: counts, and the scores of every word (with their df). */
static void assert_exact(const char *path, const char *fresh_path)
{
	trawl_index *index, *fresh;
	trawl_searcher *searcher, *fresh_searcher;
	trawl_index_stats stats, expected;
	CHECK(trawl_open(&index, path, &error));
	CHECK(trawl_open(&fresh, fresh_path, &error));
	CHECK(trawl_get_stats(index, &stats, &error));
	CHECK(trawl_get_stats(fresh, &expected, &error));
	assert_int_equal(stats.documents, expected.documents);
	assert_int_equal(stats.tokens, expected.tokens);
	assert_int_equal(stats.postings, expected.postings);
	assert_int_equal(stats.text_bytes, expected.text_bytes);
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_searcher_new(&fresh_searcher, fresh, &error));
	for (unsigned word = 0; word < WORDS; word++) {
		char query[32];
		size_t count, expected_count;
		int length = snprintf(query, sizeof query, "w%urunning", word);
		trawl_search_options options = {.top = DOCUMENTS, .count = true};
		CHECK(trawl_search(searcher, query, (size_t)length, &options, &error));
		CHECK(trawl_search(fresh_searcher, query, (size_t)length, &options, &error));
		const trawl_hit *hits = trawl_hits(searcher, &count),
		                *expected_hits = trawl_hits(fresh_searcher, &expected_count);
		assert_int_equal(count, expected_count);
		assert_int_equal(trawl_match_count(searcher), trawl_match_count(fresh_searcher));
		for (size_t i = 0; i < count; i++)
			assert_memory_equal(&hits[i].score, &expected_hits[i].score, sizeof(float));
	}
	trawl_searcher_free(searcher);
	trawl_searcher_free(fresh_searcher);
	trawl_close(index);
	trawl_close(fresh);
}

static void few_deleted_are_counted_by_their_texts(void **state)
{
	(void)state;
	const char *path = scratch_path("index"), *fresh = scratch_path("fresh");
	make(path, NULL);
	make(fresh, is_kept);
	delete_some(path, 20);
	assert_exact(path, fresh);
}

static void many_deleted_are_counted_by_the_lists(void **state)
{
	(void)state;
	const char *path = scratch_path("index"), *fresh = scratch_path("fresh");
	make(path, NULL);
	make(fresh, is_kept);
	delete_some(path, DOCUMENTS);
	assert_exact(path, fresh);
}

static void all_deleted_at_once_leave_an_empty_index(void **state)
{
	(void)state;
	const char *path = scratch_path("index");
	trawl_index *index;
	trawl_index_stats stats;
	make(path, NULL);
	trawl_writer *writer = writer_open(path);
	for (int i = 0; i < DOCUMENTS; i++)
		delete_number(writer, i);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	CHECK(trawl_open(&index, path, &error));
	CHECK(trawl_get_stats(index, &stats, &error));
	assert_int_equal(stats.documents + stats.tokens + stats.postings + stats.text_bytes, 0);
	trawl_close(index);
}

/* As another version of the stemming library would: from here on texts are analysed as `language` says. */
static void change_language(const char *path, const char *language)
{
	struct store *store;
	struct snapshot *snapshot;
	struct manifest manifest;
	struct store_batch *batch;
	struct buffer bytes = {0};
	CHECK(store_open(&store, path, false, &error));
	CHECK(snapshot_open(&snapshot, store, &error));
	CHECK(manifest_read(&manifest, snapshot, &error));
	snprintf(manifest.language, sizeof manifest.language, "%s", language);
	manifest.generation++;
	assert_true(manifest_write(&manifest, &bytes));
	snapshot_close(snapshot);
	CHECK(store_batch_new(&batch, store, &error));
	CHECK(store_batch_commit(batch, bytes.data, (uint32_t)bytes.length, &error));
	store_batch_free(batch);
	buffer_release(&bytes);
	manifest_release(&manifest);
	store_close(store);
}

static void texts_that_another_stemmer_analyses_can_be_deleted_and_counted(void **state)
{
	(void)state;
	static const int at_once[] = {1, 30, DOCUMENTS};
	for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++) {
		const char *path = scratch_path("index"), *fresh = scratch_path("fresh");
		make(path, NULL);
		make(fresh, is_kept);
		change_language(path, "none"); /* "w1running" for what was "w1run" */
		delete_some(path, at_once[i]);
		change_language(path, "english");
		assert_exact(path, fresh);
		scratch_clear();
	}
}

/* ---- the stored form ---- */

#define COUNTED 1000 /* terms */
#define NUMBERS 5000 /* from which these are drawn */

static void write_counts(struct buffer *bytes, const uint32_t counts[NUMBERS], uint32_t documents)
{
	struct deletions_writer writer;
	assert_true(deletions_begin(&writer, bytes, documents));
	deletions_words(&writer, documents)[0] = 5;
	for (uint32_t number = 0; number < NUMBERS; number++)
		if (counts[number])
			assert_true(deletions_put(&writer, number, counts[number]));
	deletions_end(&writer);
}

static void counts_of_deleted_documents_are_found_by_term(void **state)
{
	(void)state;
	static uint32_t counts[NUMBERS];
	struct random random = {17};
	struct buffer bytes = {0};
	struct deletions deletions = {0};
	struct deletions_cursor cursor = {0};
	const char *wrong;
	for (int i = 0; i < COUNTED; i++)
		counts[random_below(&random, NUMBERS)] = 1 + (uint32_t)random_below(&random, 300);
	counts[0] = counts[NUMBERS - 1] = UINT32_MAX;
	write_counts(&bytes, counts, 100);
	assert_int_equal(deletions_read(&deletions, bytes.data, bytes.length, 100, 2, &wrong), 0);
	for (uint32_t number = 0; number < NUMBERS; number++) {
		assert_int_equal(deletions_df(&deletions, number), counts[number]);
		if (!counts[number])
			continue;
		assert_true(deletions_next(&deletions, &cursor));
		assert_int_equal(cursor.number, number);
		assert_int_equal(cursor.count, counts[number]);
	}
	assert_false(deletions_next(&deletions, &cursor));
	assert_int_equal(deletions_df(&deletions, UINT64_MAX), 0);
	assert_true(deletions_memory(&deletions, 100) < 5 * COUNTED);
	deletions_release(&deletions);
	for (size_t length = 0; length < bytes.length; length++) {
		assert_int_equal(deletions_read(&deletions, bytes.data, length, 100, 2, &wrong), TRAWL_ECORRUPT);
		deletions_release(&deletions);
	}
	buffer_release(&bytes);
}

static void terms_that_do_not_ascend_are_corruption(void **state)
{
	(void)state;
	static const struct {
		uint64_t numbers[3];
		int code;
	} cases[] = {{{0, 1, 2}, 0},
	             {{7, 7, 8}, TRAWL_ECORRUPT},
	             {{7, 6, 8}, TRAWL_ECORRUPT},
	             {{1, UINT64_MAX, 0}, TRAWL_ECORRUPT}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer bytes = {0};
		struct deletions deletions = {0};
		struct deletions_writer writer;
		const char *wrong;
		assert_true(deletions_begin(&writer, &bytes, 1));
		deletions_words(&writer, 1)[0] = 1;
		for (int term = 0; term < 3; term++)
			assert_true(deletions_put(&writer, cases[i].numbers[term], 1));
		deletions_end(&writer);
		assert_int_equal(deletions_read(&deletions, bytes.data, bytes.length, 1, 1, &wrong), cases[i].code);
		deletions_release(&deletions);
		buffer_release(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(few_deleted_are_counted_by_their_texts, clear),
	    cmocka_unit_test_teardown(many_deleted_are_counted_by_the_lists, clear),
	    cmocka_unit_test_teardown(all_deleted_at_once_leave_an_empty_index, clear),
	    cmocka_unit_test_teardown(texts_that_another_stemmer_analyses_can_be_deleted_and_counted, clear),
	    cmocka_unit_test(counts_of_deleted_documents_are_found_by_term),
	    cmocka_unit_test(terms_that_do_not_ascend_are_corruption),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
