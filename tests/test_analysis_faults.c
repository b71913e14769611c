/*
 * What analysis does when the libraries under it have no memory, or the system no random numbers; and what each instruction set's
 * classifier says. The calls are wrapped by the linker (Makefile).
 */
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
#include "tokenizer/analyzer.h"
#include "tokenizer/classify.h"
#include "tokenizer/normalize.h"
#include "tokenizer/stop_words.h"
#include "tokenizer/tokenizer.h"

enum call { CALL_STEMMER, CALL_STEM, CALL_NORMALIZE, CALL_FOLD, CALL_RANDOM, CALLS };

static struct {
	enum call call;
	long after; /* so many go well first; -1: none fails */
	bool struck;
	bool heap; /* libunistring returns memory of its own, as for results that do not fit */
	int level; /* what the processor can do; -1: as it is */
} plan = {.after = -1, .level = -1};

static trawl_error error;

static bool strikes(enum call call)
{
	if (plan.call != call || plan.after < 0 || plan.after-- > 0)
		return false;
	return plan.struck = true;
}

static void fail_call(enum call call, long after)
{
	plan.call = call;
	plan.after = after;
	plan.struck = false;
}

static bool stop_failing(void)
{
	plan.after = -1;
	return plan.struck;
}

struct sb_stemmer *__real_sb_stemmer_new(const char *language, const char *encoding);
struct sb_stemmer *__wrap_sb_stemmer_new(const char *language, const char *encoding);
const sb_symbol *__real_sb_stemmer_stem(struct sb_stemmer *stemmer, const sb_symbol *word, int size);
const sb_symbol *__wrap_sb_stemmer_stem(struct sb_stemmer *stemmer, const sb_symbol *word, int size);
uint8_t *__real_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room);
uint8_t *__wrap_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room);
uint8_t *__real_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room);
uint8_t *__wrap_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room);
ssize_t __real_getrandom(void *bytes, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags);
enum cpu_level __real_cpu_level(void);
enum cpu_level __wrap_cpu_level(void);

struct sb_stemmer *__wrap_sb_stemmer_new(const char *language, const char *encoding)
{
	return strikes(CALL_STEMMER) ? NULL : __real_sb_stemmer_new(language, encoding);
}

const sb_symbol *__wrap_sb_stemmer_stem(struct sb_stemmer *stemmer, const sb_symbol *word, int size)
{
	return strikes(CALL_STEM) ? NULL : __real_sb_stemmer_stem(stemmer, word, size);
}

uint8_t *__wrap_u8_normalize(uninorm_t form, const uint8_t *text, size_t length, uint8_t *out, size_t *room)
{
	return strikes(CALL_NORMALIZE) ? NULL : __real_u8_normalize(form, text, length, plan.heap ? NULL : out, room);
}

uint8_t *__wrap_u8_casefold(const uint8_t *text, size_t length, const char *language, uninorm_t form, uint8_t *out,
                            size_t *room)
{
	return strikes(CALL_FOLD) ? NULL
	                          : __real_u8_casefold(text, length, language, form, plan.heap ? NULL : out, room);
}

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags)
{
	return strikes(CALL_RANDOM) ? -1 : __real_getrandom(bytes, length, flags);
}

enum cpu_level __wrap_cpu_level(void)
{
	return plan.level < 0 ? __real_cpu_level() : (enum cpu_level)plan.level;
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
		for (enum call call = 0; call < CALL_RANDOM; call++)
			for (long n = 0, met = true; met; n++) {
				fail_call(call, n);
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
	for (enum call call = 0; call < CALL_RANDOM; call++)
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
		plan.heap = true;
		const char *terms = terms_of(&analyses[a], false);
		plan.heap = false;
		assert_string_equal(terms, whole);
	}
}

static void words_are_found_without_random_numbers_too(void **state)
{
	(void)state;
	const char *whole = terms_of(NULL, false);
	fail_call(CALL_RANDOM, 0);
	const char *terms = terms_of(NULL, false);
	assert_true(stop_failing());
	assert_string_equal(terms, whole);
}

static void the_classifier_is_that_of_the_processor(void **state)
{
	(void)state;
	classify_function *functions[3];
	for (plan.level = 0; plan.level < 3; plan.level++)
		functions[plan.level] = classify_best();
	plan.level = 77; /* one that is not known yet */
	assert_non_null(classify_best());
	plan.level = -1;
#if defined(__x86_64__)
	assert_true(functions[CPU_SCALAR] != functions[CPU_AVX2] && functions[CPU_AVX2] != functions[CPU_AVX512]);
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
