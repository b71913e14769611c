/* Vocabularies: terms are numbered in order of appearance. Lexicons: by several threads, and sorted by their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "indexer/lexicon.h"
#include "tests/made_lists.h"

static uint32_t number_of(struct vocabulary *vocabulary, const char *term, uint8_t length)
{
	return vocabulary_number(vocabulary, term, length, (uint32_t)hash_bytes(term, length));
}

static void terms_are_numbered_in_order_of_appearance(void **state)
{
	(void)state;
	struct vocabulary vocabulary = {0};
	assert_int_equal(number_of(&vocabulary, "red", 3), 0);
	assert_int_equal(number_of(&vocabulary, "fish", 4), 1);
	assert_int_equal(number_of(&vocabulary, "red", 3), 0);
	assert_int_equal(number_of(&vocabulary, "re", 2), 2);
	assert_int_equal(number_of(&vocabulary, "fish\0", 5), 3);
	assert_int_equal(number_of(&vocabulary, "fish", 4), 1);
	assert_int_equal(vocabulary.count, 4);
	vocabulary_release(&vocabulary);
	assert_int_equal(vocabulary.count, 0);
	assert_int_equal(number_of(&vocabulary, "fish", 4), 0);
	vocabulary_release(&vocabulary);
}

/* The bytes of made-up term number `i`: many begin alike, some are 255 bytes long. */
static uint8_t make_term(uint32_t i, char *term)
{
	memset(term, 'a' + (char)(i % 3), 255);
	if (i % 50 == 0) {
		memcpy(term + 250, &i, 4);
		return 255;
	}
	int length = sprintf(term, "%s%x", i % 2 ? "a beginning " : "", i * 2654435761u);
	if (i % 7 == 0)
		term[length++] = (char)0xff;
	return (uint8_t)length;
}

static void many_terms_keep_their_numbers_and_bytes(void **state)
{
	(void)state;
	struct vocabulary vocabulary = {0};
	char term[300];
	const uint32_t count = 200000;
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < count; i++) {
			uint8_t length = make_term(i, term);
			assert_int_equal(number_of(&vocabulary, term, length), i);
		}
	assert_int_equal(vocabulary.count, count);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t length = make_term(i, term);
		assert_int_equal(vocabulary_length(&vocabulary, i), length);
		assert_memory_equal(vocabulary.terms[i].bytes, term, length);
	}
	assert_true(vocabulary_memory(&vocabulary) > count * 12);
	vocabulary_release(&vocabulary);
}

static void sorting_is_by_bytes_and_loses_nothing(void **state)
{
	(void)state;
	struct random random = seeded();
	bool shared = false;
	for (uint32_t count = 0; count < 60000; count = count * 7 + 1, shared = !shared) {
		struct lexicon lexicon;
		char term[300];
		lexicon_init(&lexicon, shared);
		for (uint32_t i = 0; i < count; i++) {
			uint8_t length = make_term((uint32_t)random_below(&random, count * 2), term);
			lexicon_number(&lexicon, term, length);
		}
		uint32_t terms = lexicon_count(&lexicon), limit = lexicon_limit(&lexicon);
		uint32_t *sorted = malloc((terms + 1) * sizeof *sorted);
		uint8_t *seen = calloc(limit + 1, 1);
		assert_true(lexicon_sort(&lexicon, sorted));
		for (uint32_t i = 0; i < terms; i++) {
			uint8_t length, last_length;
			const char *last = i ? lexicon_term(&lexicon, sorted[i - 1], &last_length) : NULL;
			const char *this = lexicon_term(&lexicon, sorted[i], &length);
			assert_in_range(sorted[i], 0, limit - 1);
			assert_false(seen[sorted[i]]++);
			assert_int_equal(lexicon_number(&lexicon, this, length), sorted[i]);
			if (last)
				assert_true(bytes_compare(last, last_length, this, length) < 0);
		}
		free(sorted);
		free(seen);
		lexicon_release(&lexicon);
	}
}

#define THREADS 4
#define SHARED_TERMS 20000

struct numbering {
	struct lexicon *lexicon;
	uint32_t numbers[SHARED_TERMS];
	pthread_t thread;
};

static void *number_all(void *context)
{
	struct numbering *numbering = context;
	char term[300];
	for (uint32_t i = 0; i < SHARED_TERMS; i++) {
		uint8_t length = make_term(i, term);
		numbering->numbers[i] = lexicon_number(numbering->lexicon, term, length);
	}
	return NULL;
}

static void threads_agree_on_the_numbers(void **state)
{
	(void)state;
	static struct numbering numberings[THREADS];
	struct lexicon lexicon;
	lexicon_init(&lexicon, true);
	for (int i = 0; i < THREADS; i++) {
		numberings[i].lexicon = &lexicon;
		assert_int_equal(pthread_create(&numberings[i].thread, NULL, number_all, &numberings[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(numberings[i].thread, NULL), 0);
	assert_int_equal(lexicon_count(&lexicon), SHARED_TERMS);
	for (int i = 1; i < THREADS; i++)
		assert_memory_equal(numberings[i].numbers, numberings[0].numbers, sizeof numberings[0].numbers);
	for (uint32_t i = 0; i < SHARED_TERMS; i++) {
		char term[300];
		uint8_t length, wanted = make_term(i, term);
		const char *found = lexicon_term(&lexicon, numberings[0].numbers[i], &length);
		assert_int_equal(length, wanted);
		assert_memory_equal(found, term, length);
	}
	lexicon_release(&lexicon);
}

static void comparison_is_of_unsigned_bytes_and_a_prefix_comes_first(void **state)
{
	(void)state;
	assert_true(bytes_compare("a", 1, "ab", 2) < 0);
	assert_true(bytes_compare("ab", 2, "a", 1) > 0);
	assert_true(bytes_compare("ab", 2, "ab", 2) == 0);
	assert_true(bytes_compare("z", 1, "\xc3\xa4", 2) < 0);
	assert_true(bytes_compare("a", 1, "a\0", 2) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(terms_are_numbered_in_order_of_appearance),
	    cmocka_unit_test(many_terms_keep_their_numbers_and_bytes),
	    cmocka_unit_test(sorting_is_by_bytes_and_loses_nothing),
	    cmocka_unit_test(threads_agree_on_the_numbers),
	    cmocka_unit_test(comparison_is_of_unsigned_bytes_and_a_prefix_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
