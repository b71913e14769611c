/* The query parser: signs, quotes, what counts twice, limits; any string is a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "tests/made_lists.h"

static trawl_error error;
static struct tokenizer *plain;
static const struct query_options usual;

static int make_tokenizer(void **state)
{
	(void)state;
	trawl_analysis analysis = {.language = "none"};
	return tokenizer_new(&plain, &analysis, &error);
}

static int drop_tokenizer(void **state)
{
	(void)state;
	tokenizer_free(plain);
	return 0;
}

/* A query as text: sign, then words joined by '_' (a gap shows as "__"), then "*n" when it counts n times. */
static void show(const struct query *query, char *out, size_t size)
{
	size_t used = 0;
	*out = 0;
	for (size_t i = 0; i < query->root.member_count; i++) {
		const struct query_node *clause = &query->root.members[i];
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "",
		                         clause->occur == OCCUR_REQUIRED   ? "+"
		                         : clause->occur == OCCUR_EXCLUDED ? "-"
		                                                           : "");
		for (uint32_t w = 0, at = 0; w < clause->words; w++) {
			for (; at < clause->terms[w].offset; at++)
				used += (size_t)snprintf(out + used, size - used, "_");
			used += (size_t)snprintf(out + used, size - used, "%.*s", (int)clause->terms[w].length,
			                         clause->terms[w].bytes);
		}
		if (clause->frequency > 1)
			used += (size_t)snprintf(out + used, size - used, "*%g", clause->frequency);
		assert_true(used < size);
	}
}

static void check_with(struct tokenizer *tokenizer, const char *text, const char *expected)
{
	struct query query = {0};
	char shown[1000];
	size_t length = strlen(text);
	char *tight = malloc(length + 1); /* without a NUL: queries need none */
	memcpy(tight, text, length);
	char *exact = realloc(tight, length ? length : 1);
	assert_int_equal(query_read(&query, tokenizer, exact, length, &usual, &error), 0);
	show(&query, shown, sizeof shown);
	assert_string_equal(shown, expected);
	query_release(&query);
	free(exact);
}

static bool same_terms(const struct query_node *a, const struct query_node *b)
{
	return query_terms_compare(a->terms, a->words, b->terms, b->words) == 0;
}

static void check(const char *text, const char *expected)
{
	check_with(plain, text, expected);
}

static void bare_words_are_optional_and_signs_change_that(void **state)
{
	(void)state;
	check("red fish", "red fish");
	check("+red -fish blue", "+red -fish blue");
	check("  \t\nred\r\v\f fish  ", "red fish");
	check("RED Fish", "red fish");
}

static void quotes_make_phrases_and_take_signs(void **state)
{
	(void)state;
	check("\"red fish\"", "red_fish");
	check("+\"red fish\" -\"blue sea\" eel", "+red_fish -blue_sea eel");
	check("\"red\"", "red");
	check("a\"red fish\"b", "a_red fish_b"); /* within a word it is no quotation mark */
	check("\"red fish\"\"blue sea\"", "red_fish blue_sea");
}

static void an_unclosed_quote_ends_at_the_end(void **state)
{
	(void)state;
	check("\"red fish", "red_fish");
	check("eel \"", "eel");
	check("-\"red fish", "-red_fish");
	check("\"", "");
}

static void signs_and_quotes_without_a_word_are_ignored(void **state)
{
	(void)state;
	check("", "");
	check("+", "");
	check("- red", "red");
	check("+ - \"\" +\"\" -\" \" red", "red");
	check("... +!!! -??? \"--\"", "");
	check("red- fish+", "red fish");
}

static void a_sign_before_a_sign_is_none(void **state)
{
	(void)state;
	check("+-red", "red");
	check("--red", "red");
}

static void a_word_cut_in_several_terms_is_a_phrase(void **state)
{
	(void)state;
	check("red-fish", "red_fish");
	check("+red-fish", "+red_fish");
	check("-red-fish", "-red_fish");
	check("\"red-fish blue\"", "red_fish_blue");
}

static void text_without_spaces_is_any_two_neighbours(void **state)
{
	(void)state;
	check("東京", "東_京");
	check("東京都庁", "東_京 京_都 都_庁");
	check("+東京都庁 -東京都", "+東_京_都_庁 -東_京_都");
	check("\"東京都庁\"", "東_京_都_庁");
}

static void what_is_written_twice_counts_twice(void **state)
{
	(void)state;
	check("red fish red Red", "red*3 fish");
	check("\"red fish\" \"red  fish\"", "red_fish*2");
	check("red \"red\" red", "red*3");
	check("red-red", "red_red");
	check("\"red red\"", "red_red");
}

static void the_stricter_sign_wins_and_exclusion_stands_apart(void **state)
{
	(void)state;
	check("red +red", "+red*2");
	check("+red red", "+red*2");
	check("red -red", "red -red");
	check("-red +red", "-red +red");
}

static void words_are_analysed_as_documents_are(void **state)
{
	(void)state;
	struct tokenizer *english;
	trawl_analysis analysis = {.language = "english", .stop_words = true};
	assert_int_equal(tokenizer_new(&english, &analysis, &error), 0);
	check_with(english, "Fishing fishes", "fish*2");
	check_with(english, "the of and", "");
	check_with(english, "+the red", "red");
	check_with(english, "\"fish of the sea\"", "fish___sea"); /* gaps stay */
	check_with(english, "\"the fish\"", "fish");
	tokenizer_free(english);
}

static void limits_are_those_of_the_header(void **state)
{
	(void)state;
	struct query query = {0};
	char *text = malloc(TRAWL_QUERY_MAX + 1);
	memset(text, 'x', TRAWL_QUERY_MAX + 1);
	assert_int_equal(query_read(&query, plain, text, TRAWL_QUERY_MAX, &usual, &error), 0);
	assert_int_equal(query_read(&query, plain, text, TRAWL_QUERY_MAX + 1, &usual, &error), TRAWL_ELIMIT);
	assert_int_equal(error.code, TRAWL_ELIMIT);
	size_t length = 0;
	for (int i = 0; i < TRAWL_CLAUSES_MAX; i++)
		length += (size_t)sprintf(text + length, "%x ", i);
	assert_int_equal(query_read(&query, plain, text, length, &usual, &error), 0);
	assert_int_equal(query.root.member_count, TRAWL_CLAUSES_MAX);
	length += (size_t)sprintf(text + length, "1 2 3 "); /* none is new */
	assert_int_equal(query_read(&query, plain, text, length, &usual, &error), 0);
	length += (size_t)sprintf(text + length, "new");
	assert_int_equal(query_read(&query, plain, text, length, &usual, &error), TRAWL_ELIMIT);
	assert_int_equal(query_read(&query, plain, "red", 3, &usual, &error), 0); /* and is good again */
	assert_int_equal(query.root.member_count, 1);
	query_release(&query);
	free(text);
}

static void any_bytes_are_a_query(void **state)
{
	(void)state;
	struct random random = seeded();
	struct query query = {0};
	for (int round = 0; round < 20000; round++) {
		size_t length = random_below(&random, round % 100 ? 60 : TRAWL_QUERY_MAX + 1);
		char *text = malloc(length + 1);
		char *exact = realloc(text, length ? length : 1);
		for (size_t i = 0; i < length; i++)
			exact[i] = random_chance(&random, 0.5) ? "+-\" \tab"[random_below(&random, 7)]
			                                       : (char)random_next(&random);
		int code = query_read(&query, plain, exact, length, &usual, &error);
		assert_true(code == 0 || (code == TRAWL_ELIMIT && length > TRAWL_CLAUSES_MAX));
		for (size_t i = 0; !code && i < query.root.member_count; i++) {
			if (query.root.members[i].kind != NODE_TERM && query.root.members[i].kind != NODE_PHRASE)
				continue;
			assert_true(query.root.members[i].words > 0 && query.root.members[i].frequency > 0);
			assert_int_equal(query.root.members[i].terms[0].offset, 0);
			for (size_t j = 0; j < i && length < 60; j++)
				if (query.root.members[i].kind == query.root.members[j].kind &&
				    (query.root.members[i].occur == OCCUR_EXCLUDED) ==
				        (query.root.members[j].occur == OCCUR_EXCLUDED))
					assert_false(same_terms(&query.root.members[i], &query.root.members[j]));
		}
		free(exact);
	}
	query_release(&query);
}

static void failing_memory_is_reported(void **state)
{
	(void)state;
	const char *text = "+red -\"blue sea\" fish fish eel-pie";
	int code = TRAWL_ENOMEM;
	for (long n = 0; code; n++) {
		struct query query = {0};
		memory_fail_after(n, true);
		code = query_read(&query, plain, text, strlen(text), &usual, &error);
		memory_fail_after(-1, false);
		assert_true(code == 0 || code == TRAWL_ENOMEM);
		query_release(&query);
		assert_true(n < 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bare_words_are_optional_and_signs_change_that),
	    cmocka_unit_test(quotes_make_phrases_and_take_signs),
	    cmocka_unit_test(an_unclosed_quote_ends_at_the_end),
	    cmocka_unit_test(signs_and_quotes_without_a_word_are_ignored),
	    cmocka_unit_test(a_sign_before_a_sign_is_none),
	    cmocka_unit_test(a_word_cut_in_several_terms_is_a_phrase),
	    cmocka_unit_test(text_without_spaces_is_any_two_neighbours),
	    cmocka_unit_test(what_is_written_twice_counts_twice),
	    cmocka_unit_test(the_stricter_sign_wins_and_exclusion_stands_apart),
	    cmocka_unit_test(words_are_analysed_as_documents_are),
	    cmocka_unit_test(limits_are_those_of_the_header),
	    cmocka_unit_test(any_bytes_are_a_query),
	    cmocka_unit_test(failing_memory_is_reported),
	};
	return cmocka_run_group_tests(tests, make_tokenizer, drop_tokenizer);
}
