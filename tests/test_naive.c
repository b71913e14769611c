/* The oracle itself, held against cases worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/naive.h"
#include "tests/random_corpus.h"

static struct naive *make(const trawl_analysis *analysis, const char *const *texts, size_t count)
{
	static const char *const ids[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	struct naive *naive = naive_new(analysis);
	for (size_t i = 0; i < count; i++)
		naive_put(naive, &(trawl_document){.id = ids[i],
		                                   .id_length = 1,
		                                   .title = "",
		                                   .text = texts[i],
		                                   .text_length = strlen(texts[i]),
		                                   .fields = ""});
	return naive;
}

static size_t matches_of(struct naive *naive, const char *query)
{
	size_t matches;
	naive_search(naive, query, strlen(query), 0.9, 0.4, &matches);
	return matches;
}

/* Which documents match, as a string of their numbers. */
static const char *found(struct naive *naive, const char *query)
{
	static char numbers[16];
	size_t matches, count = 0;
	const double *scores = naive_search(naive, query, strlen(query), 0.9, 0.4, &matches);
	for (size_t d = 0; d < naive_numbers(naive); d++)
		if (scores[d] >= 0)
			numbers[count++] = (char)('0' + d);
	assert_int_equal(count, matches);
	numbers[count] = '\0';
	return numbers;
}

static void assert_close(double got, double expected)
{
	if (fabs(got - expected) > 1e-6 * fabs(expected))
		fail_msg("expected %.9g, got %.9g", expected, got);
}

static double score_of(struct naive *naive, const char *query, size_t number, double k1, double b)
{
	size_t matches;
	double score = naive_search(naive, query, strlen(query), k1, b, &matches)[number];
	double scanned = naive_scan(naive, number, query, strlen(query), k1, b);
	assert_close(scanned, score);
	return score;
}

static const trawl_analysis plain = {.language = "none"};

static void one_word_scores_as_worked_out_by_hand(void **state)
{
	(void)state;
	/* N = 3, df = 2, average 3: idf = ln(1 + 1.5 / 2.5) = ln 1.6 = 0.470003629 */
	const char *texts[] = {"red red blue", "red green", "blue blue green green"};
	struct naive *naive = make(&plain, texts, 3);
	/* k1 0.9, b 0.4: tf 2, length 3: 2 / (2 + 0.9) */
	assert_close(score_of(naive, "red", 0, 0.9, 0.4), 0.470003629 * 2 / 2.9);
	/* tf 1, length 2: 1 / (1 + 0.9 * (0.6 + 0.4 * 2 / 3)) = 1 / 1.78 */
	assert_close(score_of(naive, "red", 1, 0.9, 0.4), 0.470003629 / 1.78);
	assert_close(score_of(naive, "red", 2, 0.9, 0.4), NAIVE_NO_MATCH);
	/* b 1: K = 1.2 * 2 / 3 = 0.8 */
	assert_close(score_of(naive, "red", 1, 1.2, 1), 0.470003629 / 1.8);
	/* k1 0: only the idf counts */
	assert_close(score_of(naive, "red", 0, 0, 0.4), 0.470003629);
	naive_free(naive);
}

static void words_add_up_and_repeated_ones_multiply(void **state)
{
	(void)state;
	const char *texts[] = {"red red blue", "red green", "blue blue green green"};
	struct naive *naive = make(&plain, texts, 3);
	double red = score_of(naive, "red", 0, 0.9, 0.4), blue = score_of(naive, "blue", 0, 0.9, 0.4);
	assert_close(score_of(naive, "red blue", 0, 0.9, 0.4), red + blue);
	assert_close(score_of(naive, "red RED blue red", 0, 0.9, 0.4), 3 * red + blue);
	assert_close(score_of(naive, "+red red", 0, 0.9, 0.4), 2 * red);
	naive_free(naive);
}

static void signs_require_and_exclude(void **state)
{
	(void)state;
	const char *texts[] = {"red red blue", "red green", "blue blue green green", ""};
	struct naive *naive = make(&plain, texts, 4);
	assert_string_equal(found(naive, "red blue"), "012");
	assert_string_equal(found(naive, "+red +blue"), "0");
	assert_string_equal(found(naive, "+red blue"), "01");
	assert_string_equal(found(naive, "red -green"), "0");
	assert_string_equal(found(naive, "-green"), "03");
	assert_string_equal(found(naive, "+red -red"), "");
	assert_string_equal(found(naive, "+purple red"), "");
	assert_string_equal(found(naive, "purple red -yellow"), "01");
	assert_string_equal(found(naive, "+ red"), "01");
	assert_string_equal(found(naive, ""), "");
	assert_string_equal(found(naive, "+ - \" \" +"), "");
	naive_free(naive);
}

static void filters_restrict_and_leave_scores_alone(void **state)
{
	(void)state;
	const char *texts[] = {"red red blue", "red green", "blue blue green green", ""};
	static const char *const cases[][3] = {/* filter, query, found */
	                                       {"blue", "red", "0"},
	                                       {"blue green", "red", "01"},
	                                       {"+blue green", "red green", "02"},
	                                       {"+blue +green", "red blue", "2"},
	                                       {"blue -green", "red blue", "0"},
	                                       {"-green", "red blue", "0"},
	                                       {"purple", "red", ""},
	                                       {"-purple", "red", "01"},
	                                       {"\"red blue\"", "blue", "0"},
	                                       {"-\"red blue\"", "red", "1"},
	                                       {"", "red", "01"},
	                                       {"red", "", ""},
	                                       {"red", "-blue", "1"}};
	struct naive *naive = make(&plain, texts, 4);
	double red = score_of(naive, "red", 0, 0.9, 0.4);
	size_t matches;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		naive_filter(naive, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(found(naive, cases[i][1]), cases[i][2]);
	}
	naive_filter(naive, "blue", 4);
	assert_close(naive_search(naive, "red", 3, 0.9, 0.4, &matches)[0], red);
	naive_filter(naive, NULL, 0);
	assert_string_equal(found(naive, "red"), "01");
	naive_free(naive);
}

static void phrases_match_in_order_and_count_overlaps(void **state)
{
	(void)state;
	const char *texts[] = {"a b a b a", "b a b", "a c b", "a a a a"};
	struct naive *naive = make(&plain, texts, 4);
	assert_string_equal(found(naive, "\"a b\""), "01");
	assert_string_equal(found(naive, "\"a b a\""), "0");
	assert_string_equal(found(naive, "\"b\""), "012");
	assert_string_equal(found(naive, "+\"a b\" +\"b a\""), "01");
	assert_string_equal(found(naive, "a -\"a b\""), "23");
	assert_string_equal(found(naive, "\"a c"), "2");
	/* N 4, average 15 / 4; "a": df 4, ln(1 + 0.5 / 4.5); "b": df 3, ln(1 + 1.5 / 3.5) */
	double idf = 0.105360516 + 0.356674944;
	assert_close(score_of(naive, "\"a b\"", 0, 0.9, 0), idf * 2 / 2.9);
	assert_close(score_of(naive, "\"a b a\"", 0, 0.9, 0), (idf + 0.105360516) * 2 / 2.9);
	assert_close(score_of(naive, "\"a a\"", 3, 0.9, 0), 2 * 0.105360516 * 3 / 3.9);
	naive_free(naive);
}

static void a_compound_is_a_phrase(void **state)
{
	(void)state;
	const char *texts[] = {"heat transfer", "transfer of heat", "heat", "transfer heat"};
	struct naive *naive = make(&plain, texts, 4);
	assert_string_equal(found(naive, "heat-transfer"), "0");
	assert_string_equal(found(naive, "+heat-transfer"), "0");
	assert_string_equal(found(naive, "heat -heat-transfer"), "123");
	naive_free(naive);
}

static void stop_words_leave_gaps_but_no_length(void **state)
{
	(void)state;
	trawl_analysis analysis = {.language = "english", .stop_words = true};
	const char *texts[] = {"state of the union", "state union", "state in an union", "state by union"};
	struct naive *naive = make(&analysis, texts, 4);
	assert_int_equal(naive_tokens(naive), 8);
	assert_string_equal(found(naive, "\"state of the union\""), "02");
	assert_string_equal(found(naive, "\"state union\""), "1");
	assert_string_equal(found(naive, "\"state the union\""), "3");
	assert_string_equal(found(naive, "\"the union\""), "0123");
	assert_string_equal(found(naive, "\"of the\" +the"), "");
	naive_free(naive);
}

static void the_title_comes_first_and_runs_into_the_text(void **state)
{
	(void)state;
	struct naive *naive = naive_new(&plain);
	naive_put(
	    naive,
	    &(trawl_document){
	        .id = "t", .id_length = 1, .title = "one two", .title_length = 7, .text = "three", .text_length = 5});
	assert_string_equal(found(naive, "\"one two three\""), "0");
	assert_int_equal(naive_tokens(naive), 3);
	naive_free(naive);
}

static void replaced_and_deleted_documents_count_nowhere(void **state)
{
	(void)state;
	const char *texts[] = {"red red blue", "red green", "blue blue green green"};
	struct naive *naive = make(&plain, texts, 3);
	double before = score_of(naive, "red", 1, 0.9, 0.4);
	naive_put(naive, &(trawl_document){.id = "9", .id_length = 1, .title = "", .text = "red", .text_length = 3});
	assert_int_equal(matches_of(naive, "red"), 3);
	naive_put(naive, &(trawl_document){.id = "9", .id_length = 1, .title = "", .text = "blue", .text_length = 4});
	assert_string_equal(found(naive, "red"), "01");
	assert_string_equal(found(naive, "blue"), "024");
	assert_true(naive_delete(naive, "9", 1));
	assert_false(naive_delete(naive, "9", 1));
	assert_int_equal(naive_documents(naive), 3);
	assert_close(score_of(naive, "red", 1, 0.9, 0.4), before);
	assert_true(naive_find(naive, "9", 1) == NAIVE_NONE);
	assert_true(naive_find(naive, "1", 1) == 1);
	naive_free(naive);
}

/* The definition of the one-byte form: encoded and decoded step by step. */
static uint64_t length_by_definition(uint64_t length)
{
	if (length < 24)
		return length;
	uint64_t x = length - 24, encoded;
	int bits = x ? 64 - __builtin_clzll(x) : 0;
	if (bits < 4)
		encoded = x;
	else
		encoded = (x >> (bits - 4) & 7) | (uint64_t)(bits - 4 + 1) << 3;
	assert_true(24 + encoded <= 255);
	int shift = (int)(encoded >> 3) - 1;
	return 24 + (shift < 0 ? encoded : ((encoded & 7) | 8) << shift);
}

static void lengths_keep_four_significant_bits(void **state)
{
	(void)state;
	assert_int_equal(naive_length(39), 39);
	assert_int_equal(naive_length(40), 40);
	assert_int_equal(naive_length(41), 40);
	assert_int_equal(naive_length(42), 42);
	assert_int_equal(naive_length(1000), 984);
	for (uint64_t length = 0; length < 300000; length++)
		assert_int_equal(naive_length(length), length_by_definition(length));
	assert_int_equal(naive_length(INT32_MAX), length_by_definition(INT32_MAX));
}

static void both_ways_of_scoring_agree_on_random_corpora(void **state)
{
	(void)state;
	static const trawl_analysis analyses[] = {{.language = "none"}, {.language = "english", .stop_words = true}};
	static char query[RANDOM_QUERY_MAX];
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct random random = {seed};
		struct random_corpus corpus;
		random_corpus_make(&corpus, &random, 120);
		struct naive *naive = naive_new(&analyses[seed % 2]);
		for (size_t i = 0; i < corpus.count; i++)
			naive_put(naive, &corpus.documents[i]);
		for (int round = 0; round < 60; round++) {
			size_t matches, number = random_below(&random, corpus.count), length;
			length = random_query(query, &corpus, &random, (enum query_kind)(round % QUERY_KINDS));
			double score = naive_search(naive, query, length, 0.9, 0.4, &matches)[number];
			double scanned = naive_scan(naive, number, query, length, 0.9, 0.4);
			if (fabs(score - scanned) > 1e-9 * fabs(score))
				fail_msg("seed %d, query '%.*s': %.17g, scanned %.17g", (int)seed, (int)length, query,
				         score, scanned);
		}
		naive_free(naive);
		random_corpus_release(&corpus);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_word_scores_as_worked_out_by_hand),
	    cmocka_unit_test(words_add_up_and_repeated_ones_multiply),
	    cmocka_unit_test(signs_require_and_exclude),
	    cmocka_unit_test(filters_restrict_and_leave_scores_alone),
	    cmocka_unit_test(phrases_match_in_order_and_count_overlaps),
	    cmocka_unit_test(a_compound_is_a_phrase),
	    cmocka_unit_test(stop_words_leave_gaps_but_no_length),
	    cmocka_unit_test(the_title_comes_first_and_runs_into_the_text),
	    cmocka_unit_test(replaced_and_deleted_documents_count_nowhere),
	    cmocka_unit_test(lengths_keep_four_significant_bits),
	    cmocka_unit_test(both_ways_of_scoring_agree_on_random_corpora),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
