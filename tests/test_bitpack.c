/* Integer runs: round trips, their bytes as docs/FORMAT.md has them, and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/bitpack.h"
#include "tests/made_lists.h"

#define LOAD_SLACK 8 /* that integer_run_decode may load past the end */

/* Decode from a heap block of exactly the bytes and the slack, so that the address sanitizer sees any load beyond. */
static const uint8_t *decode_tightly(const uint8_t *bytes, size_t length, size_t n, uint32_t *values, size_t *used)
{
	uint8_t *tight = malloc(length + LOAD_SLACK);
	memcpy(tight, bytes, length);
	memset(tight + length, 0xa5, LOAD_SLACK);
	const uint8_t *end = integer_run_decode(tight, tight + length, n, values);
	if (end)
		assert_in_range((size_t)(end - tight), 2, length);
	*used = end ? (size_t)(end - tight) : 0;
	free(tight);
	return end ? bytes + *used : NULL;
}

static void check_round_trip(const uint32_t *values, size_t n)
{
	uint8_t bytes[INTEGER_RUN_BYTES];
	uint32_t decoded[INTEGER_RUN_MAX];
	size_t length = integer_run_encode(values, n, bytes), used;
	assert_in_range(length, 2, INTEGER_RUN_BYTES);
	assert_non_null(decode_tightly(bytes, length, n, decoded, &used));
	assert_int_equal(used, length);
	assert_memory_equal(decoded, values, n * sizeof *values);
}

static uint32_t random_value(struct random *random, unsigned bits)
{
	return bits ? (uint32_t)(random_next(random) >> (64 - bits)) : 0;
}

static void runs_of_every_size_and_width_round_trip(void **state)
{
	(void)state;
	struct random random = seeded();
	uint32_t values[INTEGER_RUN_MAX];
	for (size_t n = 1; n <= INTEGER_RUN_MAX; n++)
		for (unsigned bits = 0; bits <= 32; bits++) {
			for (size_t i = 0; i < n; i++)
				values[i] = random_value(&random, bits);
			check_round_trip(values, n);
			for (size_t i = 0; i < n; i++) /* a few much wider: exceptions */
				if (random_chance(&random, 0.05))
					values[i] = random_value(&random, (unsigned)random_below(&random, 33));
			check_round_trip(values, n);
		}
}

static void extreme_runs_round_trip(void **state)
{
	(void)state;
	uint32_t values[INTEGER_RUN_MAX] = {0};
	check_round_trip(values, INTEGER_RUN_MAX);
	for (size_t i = 0; i < INTEGER_RUN_MAX; i++) {
		memset(values, 0, sizeof values);
		values[i] = UINT32_MAX; /* one exception, at every place */
		check_round_trip(values, INTEGER_RUN_MAX);
	}
	memset(values, 0xff, sizeof values);
	check_round_trip(values, INTEGER_RUN_MAX);
	for (size_t i = 0; i < INTEGER_RUN_MAX; i++)
		values[i] = i % 2 ? UINT32_MAX : 0;
	check_round_trip(values, INTEGER_RUN_MAX);
}

/* Worked by hand: four numbers below 8, so w = 3 and no exceptions. */
static void packed_bits_are_low_first(void **state)
{
	(void)state;
	const uint32_t values[4] = {5, 1, 7, 2};
	/* 5 | 1 << 3 | 7 << 6 | 2 << 9 = 5 + 8 + 448 + 1024 = 1485 = 0x05cd */
	const uint8_t expected[] = {3, 0, 0xcd, 0x05};
	uint8_t bytes[INTEGER_RUN_BYTES];
	assert_int_equal(integer_run_encode(values, 4, bytes), sizeof expected);
	assert_memory_equal(bytes, expected, sizeof expected);
}

/* Twenty numbers 0 or 1 and one of 1000 = 0b1111101000: w 1, exception 1000 >> 1 = 500 = varint f4 03. */
static void exceptions_keep_their_low_bits_packed(void **state)
{
	(void)state;
	uint32_t values[20] = {1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1};
	values[9] = 1000;
	/* bits 0-7: 1+2+8+32+64 = 0x6b; 8-15: 8 (1), 9 (low bit of 1000 = 0), 11, 13, 14: 1+8+32+64 = 0x69; 17, 19: 0x0a */
	const uint8_t expected[] = {1, 1, 0x6b, 0x69, 0x0a, 9, 0xf4, 0x03};
	uint8_t bytes[INTEGER_RUN_BYTES];
	uint32_t decoded[20];
	size_t used;
	assert_int_equal(integer_run_encode(values, 20, bytes), sizeof expected);
	assert_memory_equal(bytes, expected, sizeof expected);
	assert_non_null(decode_tightly(expected, sizeof expected, 20, decoded, &used));
	assert_memory_equal(decoded, values, sizeof values);
}

static void decode_rejects_every_truncation(void **state)
{
	(void)state;
	struct random random = seeded();
	uint32_t values[INTEGER_RUN_MAX], decoded[INTEGER_RUN_MAX];
	uint8_t bytes[INTEGER_RUN_BYTES];
	for (int round = 0; round < 50; round++) {
		size_t n = 1 + random_below(&random, INTEGER_RUN_MAX), used;
		for (size_t i = 0; i < n; i++)
			values[i] = random_value(&random, random_chance(&random, 0.9) ? 6 : 32);
		size_t length = integer_run_encode(values, n, bytes);
		for (size_t cut = 0; cut < length; cut++)
			assert_null(decode_tightly(bytes, cut, n, decoded, &used));
	}
}

static void decode_rejects_what_no_encoder_writes(void **state)
{
	(void)state;
	uint32_t decoded[4];
	size_t used;
	const uint8_t too_wide[32] = {33, 0}, too_many[16] = {1, 5, 0};
	const uint8_t bad_index[] = {1, 1, 0, 4, 1}, over_32_bits[] = {4, 1, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x01};
	const uint8_t endless[] = {1, 1, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
	assert_null(decode_tightly(too_wide, sizeof too_wide, 4, decoded, &used));
	assert_null(decode_tightly(too_many, sizeof too_many, 4, decoded, &used));
	assert_null(decode_tightly(bad_index, sizeof bad_index, 4, decoded, &used));
	assert_null(decode_tightly(over_32_bits, sizeof over_32_bits, 4, decoded, &used));
	assert_null(decode_tightly(endless, sizeof endless, 4, decoded, &used));
}

/* What lies behind the end may look like the header of an empty run. */
static void decode_rejects_a_header_that_is_cut(void **state)
{
	(void)state;
	uint32_t decoded[4];
	const uint8_t zeros[2 + LOAD_SLACK] = {0};
	assert_null(integer_run_decode(zeros, zeros, 4, decoded));
	assert_null(integer_run_decode(zeros, zeros + 1, 4, decoded));
	assert_non_null(integer_run_decode(zeros, zeros + 2, 4, decoded));
}

static void random_bytes_never_make_decode_load_beyond_the_slack(void **state)
{
	(void)state;
	struct random random = seeded();
	uint8_t bytes[700];
	uint32_t decoded[INTEGER_RUN_MAX];
	size_t accepted = 0;
	for (int round = 0; round < 100000; round++) {
		size_t n = 1 + random_below(&random, INTEGER_RUN_MAX), used;
		size_t length = random_below(&random, random_chance(&random, 0.5) ? 40 : sizeof bytes);
		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)random_next(&random);
		if (length > 1 && random_chance(&random, 0.8)) { /* a header that goes further */
			bytes[0] = (uint8_t)random_below(&random, 34);
			bytes[1] = (uint8_t)random_below(&random, 4);
		}
		accepted += decode_tightly(bytes, length, n, decoded, &used) != NULL;
	}
	assert_true(accepted > 100); /* else the test looks at headers only */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_of_every_size_and_width_round_trip),
	    cmocka_unit_test(extreme_runs_round_trip),
	    cmocka_unit_test(packed_bits_are_low_first),
	    cmocka_unit_test(exceptions_keep_their_low_bits_packed),
	    cmocka_unit_test(decode_rejects_every_truncation),
	    cmocka_unit_test(decode_rejects_what_no_encoder_writes),
	    cmocka_unit_test(decode_rejects_a_header_that_is_cut),
	    cmocka_unit_test(random_bytes_never_make_decode_load_beyond_the_slack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
