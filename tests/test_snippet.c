/* snippets: which part of a document is shown for a query, how it is cut and what is marked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "searcher/snippet.h"
#include "tests/seed.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define SLACK 11 /* bytes that the ellipses may take over the width: two at the ends, one with spaces between */

static struct tokenizer *tokenizer;
static struct snippet_maker maker;

static int setup(void **state)
{
	(void)state;
	trawl_analysis analysis = {.language = "english"};
	return tokenizer_new(&tokenizer, &analysis, NULL);
}

static int teardown(void **state)
{
	(void)state;
	memory_fail_after(-1, false);
	snippet_maker_release(&maker);
	maker = (struct snippet_maker){0};
	tokenizer_free(tokenizer);
	return 0;
}

/* ---- helpers ---- */

#define TERMS_MAX 16

struct terms {
	struct snippet_term list[TERMS_MAX];
	char bytes[TERMS_MAX][WORD_BYTES_MAX];
	size_t count;
};

/* The terms of `query` after analysis, of weight 1; `phrase` as in struct snippet_term. */
static void add_terms(struct terms *terms, const char *query, uint32_t phrase)
{
	struct token tokens[TERMS_MAX];
	tokenizer_start(tokenizer, query, strlen(query));
	int count = tokenizer_next(tokenizer, tokens, TERMS_MAX);
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		assert_true(terms->count < TERMS_MAX);
		memcpy(terms->bytes[terms->count], tokens[i].word->term, tokens[i].word->term_length);
		terms->list[terms->count] =
		    (struct snippet_term){terms->bytes[terms->count], tokens[i].word->term_length, 1, phrase};
		terms->count++;
	}
}

static trawl_snippet make(const struct terms *terms, const char *text, size_t length, size_t width)
{
	trawl_snippet snippet;
	assert_int_equal(snippet_make(&maker, tokenizer, text, length, terms->list, terms->count, width, &snippet), 0);
	assert_true(snippet.length <= (width ? width : 240) + SLACK);
	size_t end = 0;
	for (size_t i = 0; i < snippet.mark_count; i++) {
		assert_true(snippet.marks[i].start >= end && snippet.marks[i].length > 0);
		end = snippet.marks[i].start + snippet.marks[i].length;
		assert_true(end <= snippet.length);
	}
	return snippet;
}

/* The snippet with its marks as [word], to compare. Static storage. */
static const char *shown(const trawl_snippet *snippet)
{
	static char line[4096];
	size_t used = 0, mark = 0;
	for (size_t i = 0; i <= snippet->length && used + 3 < sizeof line; i++) {
		if (mark < snippet->mark_count && i == snippet->marks[mark].start + snippet->marks[mark].length) {
			line[used++] = ']';
			mark++;
		}
		if (mark < snippet->mark_count && i == snippet->marks[mark].start)
			line[used++] = '[';
		if (i < snippet->length)
			line[used++] = snippet->text[i];
	}
	line[used] = 0;
	return line;
}

static const char *shown_for(const char *query, uint32_t phrase, const char *text, size_t width)
{
	struct terms terms = {0};
	add_terms(&terms, query, phrase);
	trawl_snippet snippet = make(&terms, text, strlen(text), width);
	return shown(&snippet);
}

/* `count` copies of `sentence`, then `tail`. To be freed. */
static char *repeat(const char *sentence, size_t count, const char *tail)
{
	size_t length = strlen(sentence);
	char *text = malloc(length * count + strlen(tail) + 1);
	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, sentence, length);
	strcpy(text + length * count, tail);
	return text;
}

static bool valid_utf8(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)text[i];
		size_t need = c < 0x80                ? 1
		              : c >= 0xc2 && c < 0xe0 ? 2
		              : c >= 0xe0 && c < 0xf0 ? 3
		              : c >= 0xf0 && c < 0xf5 ? 4
		                                      : 0;
		if (need == 0 || need > length - i)
			return false;
		for (size_t k = 1; k < need; k++)
			if (((unsigned char)text[i + k] & 0xc0) != 0x80)
				return false;
		i += need;
	}
	return true;
}

/* ---- which part ---- */

static void best_window_is_found_at_the_end_of_a_long_document(void **state)
{
	(void)state;
	char *text = repeat("The heron waits. ", 20000, "At dusk a silver heron caught one eel. Then it left.");
	const char *line = shown_for("silver heron eel", 0, text, 100);
	assert_non_null(strstr(line, "At dusk a [silver] [heron] caught one [eel]. Then it left."));
	free(text);
}

static void the_window_with_more_distinct_terms_beats_repetition(void **state)
{
	(void)state;
	char *filler = repeat("Filler goes on here. ", 40, "");
	char *text = malloc(4096);
	assert_non_null(text);
	snprintf(text, 4096, "Apple apple apple apple apple apple. %s One apple and one pear. %s", filler, filler);
	assert_non_null(strstr(shown_for("apple pear", 0, text, 80), "One [apple] and one [pear]."));
	free(filler);
	free(text);
}

static void the_heavier_term_is_shown_when_only_one_fits(void **state)
{
	(void)state;
	char *text = repeat("Common words fill all of this. ", 60, "");
	memcpy(text + 900, " Zebra. ", 8);
	struct terms terms = {0};
	add_terms(&terms, "common zebra", 0);
	terms.list[0].weight = 0.1f;
	terms.list[1].weight = 9.0f;
	trawl_snippet snippet = make(&terms, text, strlen(text), 60);
	assert_non_null(strstr(shown(&snippet), "[Zebra]"));
	free(text);
}

static void a_phrase_beats_its_words_apart(void **state)
{
	(void)state;
	char *filler = repeat("Filler goes on here. ", 30, "");
	char *text = malloc(4096);
	assert_non_null(text);
	snprintf(text, 4096, "A table of data is not a data driven table. %s This data table is sorted. %s", filler,
	         filler);
	assert_non_null(strstr(shown_for("data table", 7, text, 60), "This [data] [table] is sorted."));
	free(filler);
	free(text);
}

static void equal_windows_show_the_earlier(void **state)
{
	(void)state;
	char *text = repeat("Some words stand here and there between. ", 30, "");
	memcpy(text + 410, " Otter 1. ", 10);
	memcpy(text + 820, " Otter 2. ", 10);
	assert_non_null(strstr(shown_for("otter", 0, text, 60), "[Otter] 1"));
	free(text);
}

static void terms_far_apart_show_as_two_fragments_in_document_order(void **state)
{
	(void)state;
	char *filler = repeat("Filler goes on and on here. ", 50, "");
	char *text = malloc(8192);
	assert_non_null(text);
	snprintf(text, 8192, "%sThe walrus sleeps. %sA lantern burns. %s", filler, filler, filler);
	struct terms terms = {0};
	add_terms(&terms, "lantern walrus", 0);
	trawl_snippet snippet = make(&terms, text, strlen(text), 120);
	assert_int_equal(snippet.fragments, 2);
	assert_int_equal(snippet.mark_count, 2);
	const char *line = shown(&snippet);
	const char *first = strstr(line, "[walrus]"), *gap = strstr(line, " " ELLIPSIS " "),
	           *last = strstr(line, "[lantern]");
	assert_true(first && gap && last && first < gap && gap < last);
	free(filler);
	free(text);
}

static void terms_that_fit_one_window_show_as_one_fragment(void **state)
{
	(void)state;
	char *text = repeat("Filler goes on and on here. ", 50, "The walrus sleeps by a lantern.");
	struct terms terms = {0};
	add_terms(&terms, "lantern walrus", 0);
	trawl_snippet snippet = make(&terms, text, strlen(text), 120);
	assert_int_equal(snippet.fragments, 1);
	assert_int_equal(snippet.mark_count, 2);
	free(text);
}

static void a_document_without_a_match_shows_its_beginning_unmarked(void **state)
{
	(void)state;
	char *text = repeat("  \n Plain words without end, ", 50, "");
	struct terms terms = {0};
	add_terms(&terms, "absent", 0);
	trawl_snippet snippet = make(&terms, text, strlen(text), 60);
	assert_int_equal(snippet.fragments, 1);
	assert_int_equal(snippet.mark_count, 0);
	assert_string_equal(shown(&snippet), "Plain words without end, Plain words without end, Plain" ELLIPSIS);
	snippet = make(&(struct terms){0}, text, strlen(text), 60);
	assert_int_equal(snippet.fragments, 1);
	free(text);
}

static void an_empty_document_has_no_fragment(void **state)
{
	(void)state;
	struct terms terms = {0};
	add_terms(&terms, "word", 0);
	trawl_snippet snippet = make(&terms, "", 0, 0);
	assert_int_equal(snippet.fragments, 0);
	assert_int_equal(snippet.length, 0);
	snippet = make(&terms, " \n\t\xc2\xa0\xe3\x80\x80", 8, 0);
	assert_int_equal(snippet.fragments, 0);
}

/* ---- how it is cut ---- */

static void a_short_document_is_shown_whole(void **state)
{
	(void)state;
	assert_string_equal(shown_for("cat", 0, "A cat sat", 0), "A [cat] sat");
}

static void cuts_fall_on_sentence_starts_when_near(void **state)
{
	(void)state;
	const char *text =
	    "Long ago there was a town with nothing much in it to see at all. The miller had a cat. "
	    "It was grey and very old. And then so many other things happened that nobody can tell them all, "
	    "nor would anyone listen.";
	assert_string_equal(shown_for("cat", 0, text, 66), "The miller had a [cat]. It was grey and very old.");
}

static void cuts_within_a_sentence_fall_on_words_and_are_told(void **state)
{
	(void)state;
	const char *text =
	    "one two three four five six seven eight nine ten eleven twelve cat thirteen fourteen fifteen "
	    "sixteen seventeen eighteen nineteen twenty";
	assert_string_equal(shown_for("cat", 0, text, 40),
	                    ELLIPSIS "ten eleven twelve [cat] thirteen fourteen" ELLIPSIS);
}

static void white_space_is_folded(void **state)
{
	(void)state;
	assert_string_equal(shown_for("cat", 0, "\n\n a\t\t cat \r\n  sat\xc2\xa0 \xe3\x80\x80there \n", 0),
	                    "a [cat] sat there");
}

static void ideographs_without_spaces_are_cut_between_characters(void **state)
{
	(void)state;
	char *text = repeat("\xe6\xa2\x85\xe9\x9b\xa8\xe3\x81\xae\xe6\x99\x82\xe6\x9c\x9f", 3000,
	                    "\xe6\xa9\x9f\xe6\xa2\xb0\xe5\xad\xa6\xe7\xbf\x92");
	struct terms terms = {0};
	add_terms(&terms, "\xe6\xa9\x9f\xe6\xa2\xb0\xe5\xad\xa6\xe7\xbf\x92", 0);
	for (size_t width = 16; width < 80; width++) {
		trawl_snippet snippet = make(&terms, text, strlen(text), width);
		assert_true(valid_utf8(snippet.text, snippet.length));
		assert_int_equal(snippet.mark_count, 1); /* words that touch are one mark */
		assert_int_equal(snippet.marks[0].length, 12);
	}
	free(text);
}

static void a_word_longer_than_the_width_is_cut(void **state)
{
	(void)state;
	struct terms terms = {0};
	char word[401];
	memset(word, 'z', 400);
	word[400] = 0;
	add_terms(&terms, word, 0);
	trawl_snippet snippet = make(&terms, word, 400, 50);
	assert_int_equal(snippet.fragments, 1);
	assert_int_equal(snippet.mark_count, 1);
	assert_int_equal(snippet.marks[0].length, 50);
}

static void a_large_document_without_white_space_takes_linear_time(void **state)
{
	(void)state;
	size_t length = (size_t)32 << 20;
	char *text = malloc(length);
	assert_non_null(text);
	for (size_t i = 0; i < length; i++)
		text[i] = "x-"[i % 2]; /* every other byte a match */
	struct terms terms = {0};
	add_terms(&terms, "x y", 0);
	clock_t begun = clock();
	make(&terms, text, length, 0);
	memset(text, 'x', length);
	make(&terms, text, length, 0);
	memset(text, ' ', length - 1);
	make(&terms, text, length, 0);
	assert_true(clock() - begun < 60 * CLOCKS_PER_SEC);
	assert_true(maker.arena.used < ((size_t)1 << 20));
	free(text);
}

static void every_width_is_respected(void **state)
{
	(void)state;
	char *text =
	    repeat("The owl, \xe2\x80\x9cso they say\xe2\x80\x9d, sees caf\xc3\xa9s by night. \n\n And mice?  ", 40,
	           "The end of the owl.");
	struct terms terms = {0};
	add_terms(&terms, "owl mice end", 0);
	for (size_t width = 16; width < 600; width++) {
		trawl_snippet snippet = make(&terms, text, strlen(text), width); /* make() asserts the length */
		assert_true(valid_utf8(snippet.text, snippet.length));
		assert_true(snippet.mark_count > 0);
	}
	free(text);
}

/* ---- what is marked ---- */

static void marks_are_the_whole_words_that_match(void **state)
{
	(void)state;
	assert_string_equal(shown_for("cat", 0, "Concat the cat, CAT; scatter a cat-like \"cat\".", 0),
	                    "Concat the [cat], [CAT]; scatter a [cat]-like \"[cat]\".");
}

static void a_stemmed_match_is_marked_in_full(void **state)
{
	(void)state;
	assert_string_equal(shown_for("connection", 0, "They connected the connecting wires.", 0),
	                    "They [connected] the [connecting] wires.");
}

static void a_term_of_several_phrases_and_words_is_one_key(void **state)
{
	(void)state;
	struct terms terms = {0};
	add_terms(&terms, "red fox", 1);
	add_terms(&terms, "fox", 0);
	add_terms(&terms, "fox den", 2);
	const char *text = "A fox in a red fox den. Red fox den fox, fox den red fox.";
	trawl_snippet snippet = make(&terms, text, strlen(text), 0);
	assert_int_equal(snippet.mark_count, 12);
	assert_int_equal(snippet.fragments, 1);
}

/* ---- hostile input ---- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % limit);
}

static uint64_t random_start(void)
{
	random_state = test_seed();
	return random_state;
}

/* The most distinct letters a to h that single letters of `text` show within `reach` bytes. */
static int most_letters(const char *text, size_t length, size_t reach)
{
	int most = 0;
	for (size_t start = 0; start < length; start++) {
		unsigned seen = 0;
		for (size_t i = start; i < length && i < start + reach; i++)
			if (text[i] != ' ' && (i == 0 || text[i - 1] == ' ') && (i + 1 == length || text[i + 1] == ' '))
				seen |= 1u << (text[i] - 'a');
		most = __builtin_popcount(seen) > most ? __builtin_popcount(seen) : most;
	}
	return most;
}

static void no_stretch_of_the_document_shows_more_terms(void **state)
{
	(void)state;
	random_start();
	struct terms terms = {0};
	add_terms(&terms, "b c d e f g h", 0);
	for (int round = 0; round < 5000; round++) {
		char text[2000];
		size_t length = 0, wanted = 100 + random_below(1800);
		while (length + 8 < wanted) {
			if (random_below(12) == 0)
				text[length++] = (char)('b' + random_below(7));
			else
				length += (size_t)sprintf(text + length, "%.*s", (int)(2 + random_below(5)), "fillers");
			text[length++] = ' ';
		}
		size_t width = 32 + random_below(150);
		trawl_snippet snippet = make(&terms, text, length, width);
		unsigned shown_letters = 0;
		for (size_t i = 0; i < snippet.mark_count; i++)
			shown_letters |= 1u << (snippet.text[snippet.marks[i].start] - 'a');
		assert_true(__builtin_popcount(shown_letters) >= most_letters(text, length, width - width / 4));
	}
}

static void random_bytes_are_survived(void **state)
{
	(void)state;
	static const char *const pieces[] = {"cat",
	                                     "dog ",
	                                     " ",
	                                     "\n",
	                                     ". ",
	                                     "\xe2\x80\xa6",
	                                     "\xe6\xa9\x9f",
	                                     "\xe2\x80",
	                                     "\xf0\x9f\x90\x88",
	                                     "\xff",
	                                     "\xc2",
	                                     "\x80",
	                                     "\xe3\x80\x82",
	                                     "cats",
	                                     "\xc2\xa0",
	                                     "\""};
	random_start();
	struct terms terms = {0};
	add_terms(&terms, "cat dog \xe6\xa9\x9f", 0);
	for (int round = 0; round < 20000; round++) {
		char text[600];
		size_t length = 0, wanted = random_below(400);
		while (length < wanted) {
			const char *piece = pieces[random_below(sizeof pieces / sizeof *pieces)];
			if (random_below(4) == 0) {
				text[length++] = (char)random_below(256);
				continue;
			}
			memcpy(text + length, piece, strlen(piece));
			length += strlen(piece);
		}
		char *exact = malloc(length ? length : 1); /* so that a sanitizer sees a read past the end */
		assert_non_null(exact);
		memcpy(exact, text, length);
		make(&terms, exact, length, 16 + random_below(300));
		free(exact);
	}
}

static void random_valid_text_is_never_cut_within_a_character(void **state)
{
	(void)state;
	static const char *const pieces[] = {"cat",
	                                     "dog",
	                                     " ",
	                                     "\n",
	                                     ". ",
	                                     "\xe2\x80\xa6",
	                                     "\xe6\xa9\x9f",
	                                     "\xd0\xb6\xd1\x83\xd0\xba",
	                                     "\xf0\x9f\x90\x88",
	                                     "\xc3\xa9",
	                                     "\xe3\x82\xab",
	                                     "\xe0\xb8\x81",
	                                     "\xe3\x80\x82"};
	random_start();
	struct terms terms = {0};
	add_terms(&terms, "cat \xe6\xa9\x9f", 0);
	for (int round = 0; round < 20000; round++) {
		char text[600];
		size_t length = 0, wanted = random_below(500);
		while (length < wanted) {
			const char *piece = pieces[random_below(sizeof pieces / sizeof *pieces)];
			memcpy(text + length, piece, strlen(piece));
			length += strlen(piece);
		}
		trawl_snippet snippet = make(&terms, text, length, 16 + random_below(100));
		assert_true(valid_utf8(snippet.text, snippet.length));
		for (size_t i = 0; i < snippet.mark_count; i++)
			assert_true(valid_utf8(snippet.text + snippet.marks[i].start, snippet.marks[i].length));
	}
}

static void out_of_memory_is_reported_and_recovered_from(void **state)
{
	(void)state;
	char *text = repeat("Filler goes on and on here. ", 50, "The walrus sleeps by a lantern.");
	struct terms terms = {0};
	add_terms(&terms, "lantern walrus filler", 0);
	int failures = 0;
	for (long n = 0; n < 100; n++) {
		struct snippet_maker fresh = {0};
		trawl_snippet snippet;
		memory_fail_after(n, true);
		int result =
		    snippet_make(&fresh, tokenizer, text, strlen(text), terms.list, terms.count, 4000, &snippet);
		memory_fail_after(-1, false);
		snippet_maker_release(&fresh);
		assert_true(result == 0 || result == TRAWL_ENOMEM);
		failures += result == TRAWL_ENOMEM;
		if (result == 0)
			break;
		assert_int_equal(snippet.length, 0);
	}
	assert_true(failures >= 2);
	make(&terms, text, strlen(text), 0);
	free(text);
}

static void a_repeated_call_allocates_nothing(void **state)
{
	(void)state;
	char *text = repeat("Filler goes on and on here. ", 50, "The walrus sleeps by a lantern.");
	struct terms terms = {0};
	add_terms(&terms, "lantern walrus filler", 0);
	make(&terms, text, strlen(text), 0);
	memory_fail_after(0, true);
	make(&terms, text, strlen(text), 0);
	memory_fail_after(-1, false);
	free(text);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLAIM(best_window_is_found_at_the_end_of_a_long_document),
	    CLAIM(the_window_with_more_distinct_terms_beats_repetition),
	    CLAIM(the_heavier_term_is_shown_when_only_one_fits),
	    CLAIM(a_phrase_beats_its_words_apart),
	    CLAIM(equal_windows_show_the_earlier),
	    CLAIM(terms_far_apart_show_as_two_fragments_in_document_order),
	    CLAIM(terms_that_fit_one_window_show_as_one_fragment),
	    CLAIM(a_document_without_a_match_shows_its_beginning_unmarked),
	    CLAIM(an_empty_document_has_no_fragment),
	    CLAIM(a_short_document_is_shown_whole),
	    CLAIM(cuts_fall_on_sentence_starts_when_near),
	    CLAIM(cuts_within_a_sentence_fall_on_words_and_are_told),
	    CLAIM(white_space_is_folded),
	    CLAIM(ideographs_without_spaces_are_cut_between_characters),
	    CLAIM(a_word_longer_than_the_width_is_cut),
	    CLAIM(a_large_document_without_white_space_takes_linear_time),
	    CLAIM(every_width_is_respected),
	    CLAIM(marks_are_the_whole_words_that_match),
	    CLAIM(a_stemmed_match_is_marked_in_full),
	    CLAIM(a_term_of_several_phrases_and_words_is_one_key),
	    CLAIM(no_stretch_of_the_document_shows_more_terms),
	    CLAIM(random_bytes_are_survived),
	    CLAIM(random_valid_text_is_never_cut_within_a_character),
	    CLAIM(out_of_memory_is_reported_and_recovered_from),
	    CLAIM(a_repeated_call_allocates_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
