/*
 * What analysis does when the libraries under it have no memory, or the system no random numbers; and what each instruction set's
 * classifier says. The calls are wrapped by the linker (Makefile).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libstemmer.h>
#include <sys/random.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "tests/failing_calls.h"
#include "tokenizer/analyzer.h"
#include "tokenizer/classify.h"
#include "tokenizer/normalize.h"
#include "tokenizer/stop_words.h"
#include "tokenizer/tokenizer.h"

/* Those that need memory. */
static const char *const call_names[] = {"sb_stemmer_new", "sb_stemmer_stem", "u8_normalize", "u8_casefold"};

#define CALLS (sizeof call_names / sizeof *call_names)

/* What the calls that succeed say. */
static struct {
	bool heap; /* libunistring returns memory of its own, as for results that do not fit */
	int level; /* what the processor can do; -1: as it is */
} said = {.level = -1};

static trawl_error error;

FAILING(struct sb_stemmer *, sb_stemmer_new, (const char *language, const char *encoding), (language, encoding), NULL)
FAILING(const sb_symbol *, sb_stemmer_stem, (struct sb_stemmer * stemmer, const sb_symbol *word, int size),
        (stemmer, word, size), NULL)
FAILING(ssize_t, getrandom, (void *bytes, size_t length, unsigned flags), (bytes, length, flags), -1)

uint8_t *__real_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room);
uint8_t *__wrap_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room);
uint8_t *__real_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room);
uint8_t *__wrap_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room);
enum cpu_level __real_cpu_level(void);
enum cpu_level __wrap_cpu_level(void);

uint8_t *__wrap_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room)
{
	return call_fails("u8_normalize") ? NULL
	                                  : __real_u8_normalize(form, text, length, said.heap ? NULL : out, room);
}

uint8_t *__wrap_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room)
{
	return call_fails("u8_casefold")
	           ? NULL
	           : __real_u8_casefold(text, length, language, form, said.heap ? NULL : out, room);
}

enum cpu_level __wrap_cpu_level(void)
{
	return said.level < 0 ? __real_cpu_level() : (enum cpu_level)said.level;
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static const char text[] =
    "Running \xc3\x84pfel \xef\xac\x81ne cafe\xcc\x81 running foxes the \xe1\xba\x9e \xcf\x82 a_b "
    "3.14 \xe6\xbc\xa2\xe5\xad\x97 averyveryverylongword don\xe2\x80\x99t";

/* The terms of the text, one behind the other with spaces between; "": out of memory. Lives until the call after the next. */
static const char *terms_of(const trawl_analysis *analysis, bool unicode)
{
	static char results[2][1000];
	static int last;
	char *terms = results[last = !last];
	size_t length = 0;
	struct tokenizer *tokenizer;
	struct token tokens[4];
	int count;
	terms[0] = 0;
	if (tokenizer_new(&tokenizer, analysis, &error) != 0)
		return terms;
	tokenizer_force_unicode(tokenizer, unicode);
	tokenizer_start(tokenizer, text, sizeof text - 1);
	while ((count = tokenizer_next(tokenizer, tokens, 4)) > 0)
		for (int i = 0; i < count; i++)
			length += (size_t)snprintf(terms + length, sizeof results[0] - length, "%.*s ",
			                           tokens[i].word->term_length, tokens[i].word->term);
	tokenizer_free(tokenizer);
	terms[count < 0 ? 0 : length] = 0;
	return terms;
}

static const trawl_analysis analyses[] = {
    {0},
    {.language = ""},
    {.language = "german", .fold_diacritics = true, .stop_words = true},
    {.language = "none", .stop_words = false, .fold_diacritics = true},
};

#define ANALYSES (sizeof analyses / sizeof *analyses)

static void a_library_without_memory_is_an_answer_and_the_next_try_is_well(void **state)
{
	(void)state;
	long struck[CALLS] = {0}, failures = 0;
	for (size_t a = 0; a < 2 * ANALYSES; a++) {
		char *whole = strdup(terms_of(&analyses[a / 2], a % 2));
		assert_true(strlen(whole) > 50);
		for (size_t call = 0; call < CALLS; call++)
			for (long n = 0, met = true; met; n++) {
				fail_calls(call_names[call], n, false, ENOMEM);
				const char *terms = terms_of(&analyses[a / 2], a % 2);
				met = stop_failing();
				struck[call] += met;
				/* Behind others of its batch the word that failed comes again. */
				if (!met || terms[0])
					assert_string_equal(terms, whole);
				failures += !terms[0];
			}
		free(whole);
	}
	for (size_t call = 0; call < CALLS; call++)
		assert_true(struck[call] > 1);
	assert_true(failures > 10);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t a = 0; a < ANALYSES; a++) {
		char *whole = strdup(terms_of(&analyses[a], false));
		const char *terms = "";
		for (long n = 0; !terms[0]; n++) {
			memory_fail_after(n, true);
			terms = terms_of(&analyses[a], false);
			memory_fail_after(-1, false);
			assert_true(n < 1000);
		}
		assert_string_equal(terms, whole);
		free(whole);
	}
}

static void results_that_the_library_allocates_are_the_same(void **state)
{
	(void)state;
	for (size_t a = 0; a < ANALYSES; a++) {
		const char *whole = terms_of(&analyses[a], false);
		said.heap = true;
		const char *terms = terms_of(&analyses[a], false);
		said.heap = false;
		assert_string_equal(terms, whole);
	}
}

static void words_are_found_without_random_numbers_too(void **state)
{
	(void)state;
	const char *whole = terms_of(NULL, false);
	fail_calls("getrandom", 0, false, EIO);
	const char *terms = terms_of(NULL, false);
	assert_true(stop_failing());
	assert_string_equal(terms, whole);
}

static void the_classifier_is_that_of_the_processor(void **state)
{
	(void)state;
	classify_function *functions[3];
	for (said.level = 0; said.level < 3; said.level++)
		functions[said.level] = classify_best();
	said.level = 77; /* one that is not known yet */
	assert_non_null(classify_best());
	said.level = -1;
#if defined(__x86_64__)
	assert_true(functions[CPU_SCALAR] != functions[CPU_AVX2] && functions[CPU_AVX2] != functions[CPU_AVX512]);
#else
	assert_true(functions[CPU_SCALAR] == functions[CPU_AVX2] && functions[CPU_AVX2] == functions[CPU_AVX512]);
#endif
}

static void the_list_of_stop_word_languages_is_cut_to_its_room(void **state)
{
	(void)state;
	char whole[256], part[256];
	stop_words_languages(whole, sizeof whole);
	assert_true(strlen(whole) > 20);
	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		memset(part, 'x', sizeof part);
		stop_words_languages(part, size);
		assert_int_equal(strnlen(part, size), size - 1);
		assert_memory_equal(part, whole, size - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_library_without_memory_is_an_answer_and_the_next_try_is_well),
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(results_that_the_library_allocates_are_the_same),
	    cmocka_unit_test(words_are_found_without_random_numbers_too),
	    cmocka_unit_test(the_classifier_is_that_of_the_processor),
	    cmocka_unit_test(the_list_of_stop_word_languages_is_cut_to_its_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
