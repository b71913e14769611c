/*
 * The answers of an index follow from its live documents alone, whatever became of the file: commits, changes, deletions, merges,
 * compaction, salvage, with documents in any order.
 *
 * TRAWL_SEED    seed of the histories
 * TRAWL_ROUNDS  how many (20)
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/history.h"
#include "tests/seed.h"

#include "tests/index_verbs.h"

static char path[1024], other[1024], fresh[1024];

static void take_paths(void)
{
	snprintf(path, sizeof path, "%s", scratch_path("index"));
	snprintf(other, sizeof other, "%s", scratch_path("other"));
	snprintf(fresh, sizeof fresh, "%s", scratch_path("fresh"));
}

static trawl_writer_options random_options(struct random *random)
{
	return (trawl_writer_options){.memory_budget = random_chance(random, 0.3) ? 1 << 20 : 32 << 20,
	                              .bigrams = random_chance(random, 0.3),
	                              .analysis.stop_words = random_chance(random, 0.3),
	                              .threads = 1 + (unsigned)random_below(random, 2)};
}

/* What a run may choose anew. */
static trawl_writer *open_any(struct random *random, trawl_writer_options options, bool first)
{
	trawl_writer *writer;
	options.order = random_chance(random, 0.4) ? TRAWL_ORDER_SIMILAR : TRAWL_ORDER_INPUT;
	options.no_merge = random_chance(random, 0.3);
	options.compare = random_chance(random, 0.2);
	if (!first)
		options.analysis = (trawl_analysis){0};
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	return writer;
}

static void change(struct history *history, trawl_writer *writer, struct random *random)
{
	size_t ids = history->corpus.count, changes = 1 + random_below(random, ids / 3);
	for (size_t i = 0; i < changes; i++) {
		size_t number = random_below(random, ids);
		switch (random_below(random, 4)) {
		case 0: history_put(history, writer, number); break;
		case 1: history_delete(history, writer, number); break;
		default: history_change(history, writer, random, number);
		}
	}
	history_commit(history, writer);
}

static void rescue(const struct history *history)
{
	trawl_salvage_result result;
	unlink(other);
	CHECK(trawl_salvage(path, other, NULL, &result, &error));
	assert_int_equal(result.rescued, history->live);
	assert_int_equal(result.lost, 0);
	if (history->live)
		assert_int_equal(rename(other, path), 0);
	unlink(scratch_path("index-lock"));
}

/* Without stable ties hits of equal score may be others, but the scores are the same, and ties ascend. */
static void assert_same_scores(const struct random_corpus *corpus, struct random *random)
{
	char *query = malloc(RANDOM_QUERY_MAX);
	trawl_index *index = index_open(path), *fresh_index = index_open(fresh);
	trawl_searcher *a, *b;
	assert_non_null(query);
	CHECK(trawl_searcher_new(&a, index, &error));
	CHECK(trawl_searcher_new(&b, fresh_index, &error));
	for (int i = 0; i < 20; i++) {
		trawl_search_options options = {.top = 1 + random_below(random, 50), .count = true};
		size_t length = random_query(query, corpus, random, (enum query_kind)random_below(random, QUERY_KINDS));
		size_t count, other_count;
		int status = trawl_search(a, query, length, &options, &error);
		assert_int_equal(trawl_search(b, query, length, &options, &error), status);
		if (status)
			continue;
		const trawl_hit *hits = trawl_hits(a, &count), *others = trawl_hits(b, &other_count);
		assert_int_equal(count, other_count);
		assert_int_equal(trawl_match_count(a), trawl_match_count(b));
		for (size_t hit = 0; hit < count; hit++) {
			assert_memory_equal(&hits[hit].score, &others[hit].score, sizeof hits[hit].score);
			assert_true(
			    hit == 0 || hits[hit - 1].score > hits[hit].score ||
			    (hits[hit - 1].score == hits[hit].score && hits[hit - 1].document < hits[hit].document));
		}
	}
	free(query);
	trawl_searcher_free(a);
	trawl_searcher_free(b);
	trawl_close(index);
	trawl_close(fresh_index);
}

static void live(struct history *history, struct random *random, trawl_writer_options options)
{
	trawl_writer *writer = open_any(random, options, true);
	change(history, writer, random);
	for (int event = 0; event < 12; event++) {
		switch (random_below(random, 8)) {
		case 0: CHECK(trawl_writer_merge(writer, 1 + random_below(random, 3), &error)); break;
		case 1:
			trawl_writer_close(writer);
			CHECK(trawl_compact(path, false, NULL, &error));
			writer = open_any(random, options, false);
			break;
		case 2:
			trawl_writer_close(writer);
			if (history->live)
				rescue(history);
			writer = open_any(random, options, false);
			break;
		case 3:
			trawl_writer_close(writer);
			writer = open_any(random, options, false);
			break;
		default: change(history, writer, random);
		}
	}
	trawl_writer_close(writer);
}

static void answers_follow_from_the_living_documents_alone(void **state)
{
	(void)state;
	const char *value = getenv("TRAWL_ROUNDS");
	struct random random = {test_seed()};
	take_paths();
	for (int rounds = value ? atoi(value) : 20; rounds > 0; rounds--) {
		struct history history;
		trawl_writer_options options = random_options(&random);
		trawl_check_result result;
		const trawl_check_options check = {.text = true};
		history_make(&history, &random, 50 + random_below(&random, 600));
		live(&history, &random, options);
		history_index(&history, fresh, &options);
		assert_same_answers(path, fresh, &history.corpus, &random, 60);
		assert_same_scores(&history.corpus, &random);
		CHECK(trawl_check(path, &check, &result, &error));
		assert_int_equal(result.damages, 0);
		assert_int_equal(result.documents, history.live);
		history_release(&history);
		scratch_clear();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(answers_follow_from_the_living_documents_alone, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
