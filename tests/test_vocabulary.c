/* Vocabularies: terms are numbered in order of appearance and sorted by their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "indexer/vocabulary.h"
#include "tests/made_lists.h"

static void terms_are_numbered_in_order_of_appearance(void **state)
{
	(void)state;
	struct vocabulary vocabulary = {0};
	assert_int_equal(vocabulary_number(&vocabulary, "red", 3), 0);
	assert_int_equal(vocabulary_number(&vocabulary, "fish", 4), 1);
	assert_int_equal(vocabulary_number(&vocabulary, "red", 3), 0);
	assert_int_equal(vocabulary_number(&vocabulary, "re", 2), 2);
	assert_int_equal(vocabulary_number(&vocabulary, "fish\0", 5), 3);
	assert_int_equal(vocabulary_number(&vocabulary, "fish", 4), 1);
	assert_int_equal(vocabulary.count, 4);
	vocabulary_release(&vocabulary);
	assert_int_equal(vocabulary.count, 0);
	assert_int_equal(vocabulary_number(&vocabulary, "fish", 4), 0);
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
			assert_int_equal(vocabulary_number(&vocabulary, term, length), i);
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
	for (uint32_t count = 0; count < 60000; count = count * 7 + 1) {
		struct vocabulary vocabulary = {0};
		char term[300];
		for (uint32_t i = 0; i < count; i++) {
			uint8_t length = make_term((uint32_t)random_below(&random, count * 2), term);
			vocabulary_number(&vocabulary, term, length);
		}
		uint32_t *sorted = malloc((vocabulary.count + 1) * sizeof *sorted);
		uint8_t *seen = calloc(vocabulary.count + 1, 1);
		assert_true(vocabulary_sort(&vocabulary, sorted));
		for (uint32_t i = 0; i < vocabulary.count; i++) {
			assert_in_range(sorted[i], 0, vocabulary.count - 1);
			assert_false(seen[sorted[i]]++);
			if (i)
				assert_true(bytes_compare(vocabulary.terms[sorted[i - 1]].bytes,
				                          vocabulary_length(&vocabulary, sorted[i - 1]),
				                          vocabulary.terms[sorted[i]].bytes,
				                          vocabulary_length(&vocabulary, sorted[i])) < 0);
		}
		free(sorted);
		free(seen);
		vocabulary_release(&vocabulary);
	}
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
	    cmocka_unit_test(comparison_is_of_unsigned_bytes_and_a_prefix_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
