/* Distances: "several words"~N, NEAR/N and BEFORE/N, by hand. Random ones are in test_groups.c. */
#include <stdlib.h>

#include "tests/index_verbs.h"

struct asked {
	const char *query, *found; /* ids in the order of the alphabet */
};

static void make_index(const char *path, const trawl_writer_options *options, const char *const *texts)
{
	trawl_writer *writer;
	CHECK(trawl_writer_open(&writer, path, options, &error));
	for (int i = 0; texts[i]; i++) {
		char id[2] = {(char)('a' + i), 0};
		add(writer, id, texts[i]);
		if (i == 2)
			CHECK(trawl_writer_commit(writer, &error));
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
}

static int compare_characters(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void check_all(const char *path, const struct asked *asked, size_t count)
{
	trawl_index *index = index_open(path);
	for (size_t i = 0; i < count; i++) {
		char ids[100];
		size_t kept = 0;
		for (const char *c = ids_found(index, asked[i].query); *c; c++)
			if (*c != ' ')
				ids[kept++] = *c;
		qsort(ids, kept, 1, compare_characters);
		ids[kept] = 0;
		if (strcmp(ids, asked[i].found) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", asked[i].query, ids, asked[i].found);
	}
	trawl_close(index);
}

#define CHECK_ALL(path, asked) check_all(path, asked, sizeof asked / sizeof *(asked))

static void words_stand_within_their_distance(void **state)
{
	(void)state;
	static const char *const texts[] = {"rain in spain",
	                                    "rain falls in spain",
	                                    "spain has rain",
	                                    "rain rain",
	                                    "rain in the plain of spain",
	                                    "spain",
	                                    NULL};
	static const struct asked asked[] = {
	    {"\"rain spain\"~1", "a"},
	    {"\"rain spain\"~2", "ab"},
	    {"\"rain spain\"~4", "abe"},
	    {"\"rain spain\"~999999", "abe"},
	    {"\"rain spain\"~0", ""},
	    {"\"rain in spain\"~1", "ab"},
	    {"\"rain in spain\"~3", "abe"},
	    {"rain NEAR/1 spain", "ac"},
	    {"spain NEAR/1 rain", "ac"},
	    {"rain BEFORE/1 spain", "a"},
	    {"spain BEFORE/1 rain", "c"},
	    {"spain BEFORE/0 rain", ""},
	    {"rain NEAR/0 rain", "d"},
	    {"rain BEFORE/0 rain", "d"},
	    {"rain NEAR/9 rain NEAR/9 rain", ""},
	    {"\"rain rain\"~3", "d"},
	    {"rain NEAR/1 spain NEAR/1 in", "ab"},
	    {"\"rain in\" NEAR/3 spain", "ae"},
	    {"\"rain in\" BEFORE/2 spain", "a"},
	    {"spain NEAR/0 \"rain in\"", "a"},
	    {"\"rain in\" NEAR/0 \"in spain\"", "a"}, /* they may share words */
	    {"\"rain in\" BEFORE/9 \"in spain\"", ""},
	    {"rain NEAR/9 absent", ""},
	    {"rain NEAR/9 \"spain rain\"", ""},
	    {"+spain -(rain NEAR/9 spain)", "f"},
	    {"+spain -\"rain spain\"~1", "bcef"},
	    {"(rain NEAR/1 spain) OR \"rain rain\"", "acd"},
	    {"rain NEAR/1 spain^3", "ac"},
	    {"rain NEAR/1 \"!\"", "abcde"}, /* what has no words is no member */
	    {"Rain\xe3\x80\x80NEAR/1 SPAIN", "ac"},
	};
	make_index(scratch_path("near"), NULL, texts);
	CHECK_ALL(scratch_path("near"), asked);
}

static void dropped_stop_words_keep_their_places(void **state)
{
	(void)state;
	static const char *const texts[] = {"rain in spain", "rain spain", "rain falls in spain", NULL};
	static const struct asked asked[] = {{"\"rain spain\"~1", "ab"},    {"\"rain in spain\"~1", "ac"},
	                                     {"rain NEAR/0 spain", "b"},    {"rain NEAR/1 spain", "ab"},
	                                     {"rain NEAR/1 in", "abc"},     {"\"rain in\"~2", "abc"},
	                                     {"rain BEFORE/2 spain", "abc"}};
	trawl_writer_options options = {.analysis.stop_words = true};
	make_index(scratch_path("stop"), &options, texts);
	CHECK_ALL(scratch_path("stop"), asked);
}

static float score_of(trawl_searcher *searcher, const char *query)
{
	size_t count;
	trawl_search_options options = {.top = 1};
	CHECK(trawl_search(searcher, query, strlen(query), &options, &error));
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_int_equal(count, 1);
	return hits[0].score;
}

/* A document of `times` repetitions. */
static void add_repeated(trawl_writer *writer, const char *id, const char *words, size_t times)
{
	size_t length = strlen(words);
	char *text = malloc(times * length + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * length, words, length + 1);
	add(writer, id, text);
	free(text);
}

/* As often as "a" alone: the score is that of "a", with the weight of two words. */
static void matches_do_not_overlap_and_all_are_counted(void **state)
{
	(void)state;
	trawl_searcher *searcher;
	trawl_writer *writer = writer_open(scratch_path("large"));
	add_repeated(writer, "large", "ab cd ", 100000);
	add_repeated(writer, "other", "ef gh ", 30);
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	trawl_index *index = index_open(scratch_path("large"));
	CHECK(trawl_searcher_new(&searcher, index, &error));
	float once = score_of(searcher, "ab");
	static const char *const all[] = {"ab NEAR/0 cd", "cd NEAR/5 ab", "ab BEFORE/0 cd", "\"ab cd\"~7", "\"ab cd\""};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_true(score_of(searcher, all[i]) == 2 * once);
	/* Its weight is that of its words, each with its own. */
	assert_true(score_of(searcher, "ab^3 NEAR/0 cd") == 4 * once);
	assert_true(score_of(searcher, "(ab NEAR/0 cd)^2") == 4 * once);
	/* Many parts, in a document that has them all everywhere. */
	char query[8000] = "ab";
	for (int i = 1; i < 64; i++)
		strcat(query, i % 2 ? " NEAR/70 cd" : " NEAR/70 ab");
	assert_true(score_of(searcher, query) > 0);
	trawl_searcher_free(searcher);
	trawl_close(index);
}

static void check_told(trawl_searcher *searcher, const char *query, const char *expected)
{
	trawl_query_note note;
	trawl_search_options options = {.top = 1};
	CHECK(trawl_search(searcher, query, strlen(query), &options, &error));
	assert_int_equal(trawl_query_get_note(searcher, 0, &note), expected != NULL);
	if (expected)
		assert_non_null(strstr(note.text, expected));
	options.syntax = TRAWL_SYNTAX_STRICT;
	assert_int_equal(trawl_search(searcher, query, strlen(query), &options, &error), expected ? TRAWL_EINVAL : 0);
}

static void what_cannot_be_near_is_told(void **state)
{
	(void)state;
	trawl_searcher *searcher;
	write_one(scratch_path("told"), "a", "rain in spain");
	trawl_index *index = index_open(scratch_path("told"));
	CHECK(trawl_searcher_new(&searcher, index, &error));
	check_told(searcher, "rain NEAR/3 spain", NULL);
	check_told(searcher, "\"rain spain\"~2^3", NULL);
	check_told(searcher, "rai* NEAR/3 spain", "patterns");
	check_told(searcher, "rain NEAR/3 spian~", "patterns");
	check_told(searcher, "\"rain spain\"~2 NEAR/3 in", "distance within");
	check_told(searcher, "rain NEAR/3 spain^=2", "no score of its own");
	check_told(searcher, "rain NEAR/3 (in spain)", "AND");
	char query[2000] = "rain";
	for (int i = 1; i < 64; i++)
		strcat(query, " NEAR/9 rain");
	check_told(searcher, query, NULL);
	check_told(searcher, strcat(query, " NEAR/9 rain"), "at most 64");
	trawl_searcher_free(searcher);
	trawl_close(index);
}

static void distances_need_positions(void **state)
{
	(void)state;
	static const char *const queries[] = {"a NEAR/3 b", "a BEFORE/3 b", "\"a b\"~2", "c (d -(a NEAR/2 b))"};
	static const char *const texts[] = {"a b", NULL};
	trawl_writer_options options = {.no_positions = true};
	trawl_search_options search = {.top = 10};
	trawl_searcher *searcher;
	make_index(scratch_path("without"), &options, texts);
	trawl_index *index = index_open(scratch_path("without"));
	CHECK(trawl_searcher_new(&searcher, index, &error));
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		assert_int_equal(trawl_search(searcher, queries[i], strlen(queries[i]), &search, &error), TRAWL_EINVAL);
		assert_non_null(strstr(error.text, "no positions"));
	}
	trawl_searcher_free(searcher);
	trawl_close(index);
}

static void filters_and_snippets_know_distances(void **state)
{
	(void)state;
	static const char *const texts[] = {"rain in spain", "rain far away from sunny spain", NULL};
	trawl_search_options search = {.top = 10, .count = true, .filter = "rain NEAR/2 spain", .filter_length = 17};
	trawl_searcher *searcher;
	trawl_snippet snippet;
	size_t count;
	make_index(scratch_path("filter"), NULL, texts);
	trawl_index *index = index_open(scratch_path("filter"));
	CHECK(trawl_searcher_new(&searcher, index, &error));
	CHECK(trawl_search(searcher, "spain", 5, &search, &error));
	assert_int_equal(trawl_match_count(searcher), 1);
	search.filter = NULL;
	CHECK(trawl_search(searcher, "rain NEAR/2 spain", 17, &search, &error));
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_int_equal(count, 1);
	CHECK(trawl_hit_snippet(searcher, hits[0].document, 0, &snippet, &error));
	assert_int_equal(snippet.mark_count, 2);
	trawl_searcher_free(searcher);
	trawl_close(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_stand_within_their_distance),
	    cmocka_unit_test(dropped_stop_words_keep_their_places),
	    cmocka_unit_test(matches_do_not_overlap_and_all_are_counted),
	    cmocka_unit_test(what_cannot_be_near_is_told),
	    cmocka_unit_test(distances_need_positions),
	    cmocka_unit_test(filters_and_snippets_know_distances),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
