/* Filters: what they let pass, what they leave alone. Random ones are held against the naive scorer in test_ranking.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tests/scratch.h"
#include "trawl.h"

static void check(int status, const trawl_error *error)
{
	if (status < 0)
		fail_msg("%s: %s", trawl_status_name(status), error->text);
}

struct subject {
	trawl_writer *writer;
	trawl_index *index;
	trawl_searcher *searcher;
	uint32_t added;
};

static void start(struct subject *subject, bool no_positions)
{
	trawl_error error;
	*subject = (struct subject){0};
	trawl_writer_options options = {.analysis.language = "none", .no_positions = no_positions};
	check(trawl_writer_open(&subject->writer, scratch_path("filter.trawl"), &options, &error), &error);
}

static void add(struct subject *subject, const char *text)
{
	char id[16];
	trawl_error error;
	snprintf(id, sizeof id, "%u", subject->added++);
	trawl_document document = {.id = id, .id_length = strlen(id), .text = text, .text_length = strlen(text)};
	check(trawl_writer_add(subject->writer, &document, &error), &error);
}

static void finish(struct subject *subject)
{
	trawl_error error;
	check(trawl_writer_commit(subject->writer, &error), &error);
	trawl_writer_close(subject->writer);
	check(trawl_open(&subject->index, scratch_path("filter.trawl"), &error), &error);
	check(trawl_searcher_new(&subject->searcher, subject->index, &error), &error);
}

static void stop(struct subject *subject)
{
	trawl_searcher_free(subject->searcher);
	trawl_close(subject->index);
	scratch_clear();
}

static int search(struct subject *subject, const char *query, const char *filter, size_t top, trawl_error *error)
{
	trawl_search_options options = {
	    .top = top, .count = true, .filter = filter, .filter_length = filter ? strlen(filter) : 0};
	return trawl_search(subject->searcher, query, strlen(query), &options, error);
}

/* The hits' numbers in order of rank, as text. */
static const char *found(struct subject *subject, const char *query, const char *filter)
{
	static char text[256];
	trawl_error error;
	size_t count, length = 0;
	check(search(subject, query, filter, 10, &error), &error);
	const trawl_hit *hits = trawl_hits(subject->searcher, &count);
	assert_int_equal(trawl_match_count(subject->searcher), count);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%llu", i ? " " : "",
		                           (unsigned long long)hits[i].document);
	return text;
}

static void few_documents(struct subject *subject)
{
	start(subject, false);
	add(subject, "red red red");
	add(subject, "red green x");
	add(subject, "red blue x x");
	add(subject, "blue red x x x");
	finish(subject);
}

static void hits_match_query_and_filter(void **state)
{
	(void)state;
	struct subject subject;
	few_documents(&subject);
	assert_string_equal(found(&subject, "red", NULL), "0 1 2 3");
	assert_string_equal(found(&subject, "red", "blue"), "2 3");
	assert_string_equal(found(&subject, "red", "blue green"), "1 2 3");
	assert_string_equal(found(&subject, "red", "+x -green"), "2 3");
	assert_string_equal(found(&subject, "red", "+x green"), "1 2 3");
	assert_string_equal(found(&subject, "red", "\"red blue\""), "2");
	assert_string_equal(found(&subject, "\"red blue\"", "x"), "2");
	assert_string_equal(found(&subject, "\"red blue\"", "green"), "");
	assert_string_equal(found(&subject, "red", "purple"), "");
	assert_string_equal(found(&subject, "red", "+red +purple"), "");
	assert_string_equal(found(&subject, "-red", "blue"), "");
	stop(&subject);
}

static void a_filter_that_only_excludes_lets_the_others_pass(void **state)
{
	(void)state;
	struct subject subject;
	few_documents(&subject);
	assert_string_equal(found(&subject, "red", "-blue"), "0 1");
	assert_string_equal(found(&subject, "red", "-blue -green"), "0");
	assert_string_equal(found(&subject, "red", "-purple"), "0 1 2 3");
	assert_string_equal(found(&subject, "red", "-\"red blue\""), "0 1 3");
	assert_string_equal(found(&subject, "red", ""), "0 1 2 3");
	assert_string_equal(found(&subject, "red", " + \"\" ..."), "0 1 2 3");
	stop(&subject);
}

/* The best documents of a frequent word do not pass: what is known of its best scores must not be used. */
static void scores_and_ranks_are_those_without_a_filter(void **state)
{
	(void)state;
	struct subject subject;
	trawl_error error;
	static trawl_hit all[4000];
	size_t count, kept = 0;
	start(&subject, false);
	for (int i = 0; i < 4000; i++)
		add(&subject, i % 8    ? "red red red red red blue"
		              : i % 16 ? "red blue green"
		                       : "red green and some more");
	finish(&subject);
	check(search(&subject, "red blue", NULL, 4000, &error), &error);
	const trawl_hit *hits = trawl_hits(subject.searcher, &count);
	assert_int_equal(count, 4000);
	for (size_t i = 0; i < count; i++)
		if (hits[i].document % 8 == 0)
			all[kept++] = hits[i];
	static const size_t tops[] = {1, 10, 100, 400, 10000};
	for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
		check(search(&subject, "red blue", "green", tops[t], &error), &error);
		hits = trawl_hits(subject.searcher, &count);
		assert_int_equal(trawl_match_count(subject.searcher), kept);
		assert_int_equal(count, tops[t] < kept ? tops[t] : kept);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(hits[i].document, all[i].document);
			assert_memory_equal(&hits[i].score, &all[i].score, sizeof hits[i].score);
		}
	}
	stop(&subject);
}

static void one_filter_follows_another(void **state)
{
	(void)state;
	struct subject subject;
	few_documents(&subject);
	for (int round = 0; round < 3; round++) {
		assert_string_equal(found(&subject, "red", "blue"), "2 3");
		assert_string_equal(found(&subject, "x", "blue"), "3 2");
		assert_string_equal(found(&subject, "red", NULL), "0 1 2 3");
		assert_string_equal(found(&subject, "red", "green"), "1");
		assert_string_equal(found(&subject, "red", ""), "0 1 2 3");
	}
	stop(&subject);
}

static void a_refused_filter_leaves_the_searcher_usable(void **state)
{
	(void)state;
	struct subject subject;
	trawl_error error;
	static char longest[TRAWL_QUERY_MAX + 2];
	few_documents(&subject);
	memset(longest, 'x', TRAWL_QUERY_MAX + 1);
	assert_string_equal(found(&subject, "red", "blue"), "2 3");
	assert_int_equal(search(&subject, "red", longest, 10, &error), TRAWL_ELIMIT);
	assert_string_equal(found(&subject, "red", NULL), "0 1 2 3");
	assert_string_equal(found(&subject, "red", "blue"), "2 3");
	stop(&subject);

	start(&subject, true);
	add(&subject, "red blue");
	finish(&subject);
	assert_int_equal(search(&subject, "red", "\"red blue\"", 10, &error), TRAWL_EINVAL);
	assert_string_equal(found(&subject, "red", "blue"), "0");
	stop(&subject);
}

static void memory_that_runs_out_leaves_no_wrong_filter(void **state)
{
	(void)state;
	struct subject subject;
	trawl_error error;
	int status = TRAWL_ENOMEM;
	for (long n = 0; status; n++) {
		few_documents(&subject);
		memory_fail_after(n, false);
		status = search(&subject, "red", "blue", 10, &error);
		memory_fail_after(-1, false);
		assert_true(status == 0 || status == TRAWL_ENOMEM);
		assert_string_equal(found(&subject, "red", "blue"), "2 3");
		stop(&subject);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hits_match_query_and_filter),
	    cmocka_unit_test(a_filter_that_only_excludes_lets_the_others_pass),
	    cmocka_unit_test(scores_and_ranks_are_those_without_a_filter),
	    cmocka_unit_test(one_filter_follows_another),
	    cmocka_unit_test(a_refused_filter_leaves_the_searcher_usable),
	    cmocka_unit_test(memory_that_runs_out_leaves_no_wrong_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
