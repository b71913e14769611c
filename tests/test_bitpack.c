/* Integer runs: round trips, their bits as docs/FORMAT.md has them, and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "segment/bitpack.h"
#include "tests/letter.h"
#include "tests/made_lists.h"

#define LOAD_SLACK 64    /* that integer_run_decode may load past the end */
#define FIRST_BIT_MAX 15 /* runs begin at bits up to this one */

/* Decode by the letter of the format, and by all decoders from a heap block of exactly the bytes and the slack, so that the address
 * sanitizer sees any load beyond; with slacks of zeros and of ones, neither of which may matter. */
static bool decode_tightly(const uint8_t *bytes, size_t length, uint64_t *bit, size_t n, unsigned width,
                           uint32_t *values)
{
	uint64_t first = *bit;
	bool sound = letter_run(bytes, 8 * (uint64_t)length, bit, n, width, values);
	for (int filling = 0; filling < 2; filling++) {
		uint8_t *tight = malloc(length + LOAD_SLACK);
		memcpy(tight, bytes, length);
		memset(tight + length, filling ? 0xff : 0, LOAD_SLACK);
		for (int level = CPU_SCALAR; level <= CPU_AVX512; level++) {
			integer_run_decoder *decode = integer_run_decoder_for((enum cpu_level)level);
			uint32_t theirs[INTEGER_RUN_MAX];
			uint64_t end = first;
			if (!decode)
				continue;
			assert_int_equal(decode(tight, tight + length, &end, n, width, theirs), sound);
			if (sound) {
				assert_int_equal(end, *bit);
				assert_memory_equal(theirs, values, n * sizeof *values);
			}
		}
		free(tight);
	}
	return sound;
}

static void check_round_trip(const uint32_t *values, size_t n)
{
	unsigned width = integer_run_width(values, n);
	assert_in_range(width, 0, INTEGER_RUN_WIDTH_MAX);
	for (uint64_t first = 0; first <= FIRST_BIT_MAX; first += 5) {
		uint8_t bytes[INTEGER_RUN_BYTES + FIRST_BIT_MAX / 8 + 1] = {0};
		uint32_t decoded[INTEGER_RUN_MAX];
		uint64_t end = integer_run_encode(values, n, width, bytes, first), bit = first;
		assert_in_range((end - first + 7) / 8, 1, INTEGER_RUN_BYTES);
		assert_true(decode_tightly(bytes, (end + 7) / 8, &bit, n, width, decoded));
		assert_int_equal(bit, end);
		assert_memory_equal(decoded, values, n * sizeof *values);
	}
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
			for (size_t i = 0; i < n; i++) /* a few much wider */
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
		values[i] = UINT32_MAX;
		check_round_trip(values, INTEGER_RUN_MAX);
	}
	memset(values, 0xff, sizeof values);
	check_round_trip(values, INTEGER_RUN_MAX);
	for (size_t i = 0; i < INTEGER_RUN_MAX; i++)
		values[i] = i % 2 ? UINT32_MAX : 0;
	check_round_trip(values, INTEGER_RUN_MAX);
}

static void no_width_takes_fewer_bits(void **state)
{
	(void)state;
	struct random random = seeded();
	uint32_t values[INTEGER_RUN_MAX];
	for (int round = 0; round < 2000; round++) {
		size_t n = 1 + random_below(&random, INTEGER_RUN_MAX);
		unsigned bits = (unsigned)random_below(&random, 33), chosen;
		uint64_t fewest = UINT64_MAX, taken = 0;
		for (size_t i = 0; i < n; i++)
			values[i] = random_value(&random, random_chance(&random, 0.8) ? bits : bits / 2);
		chosen = integer_run_width(values, n);
		for (unsigned width = 0; width <= INTEGER_RUN_WIDTH_MAX; width++) {
			uint64_t total = n * (uint64_t)(width + 1);
			for (size_t i = 0; i < n; i++)
				total += values[i] >> width;
			fewest = total < fewest ? total : fewest;
			taken = width == chosen ? total : taken;
		}
		assert_true(taken <= fewest + n); /* high parts are rounded down: no curve is quite convex */
	}
}

/* Worked by hand: width 2, from bit 3 on. */
static void low_parts_come_first_then_the_rest_in_unary(void **state)
{
	(void)state;
	const uint32_t values[4] = {5, 1, 15, 2};
	/* lows 1 1 3 2 at bits 3, 5, 7, 9; highs 1 0 3 0 as 01 1 0001 1 at bits 11 to 18: ones at 12, 13, 17, 18 */
	const uint8_t expected[] = {0xa8, 0x35, 0x06};
	uint8_t bytes[8] = {0};
	uint32_t decoded[4];
	uint64_t bit = 3;
	assert_int_equal(integer_run_encode(values, 4, 2, bytes, 3), 19);
	assert_memory_equal(bytes, expected, sizeof expected);
	assert_true(decode_tightly(expected, sizeof expected, &bit, 4, 2, decoded));
	assert_int_equal(bit, 19);
	assert_memory_equal(decoded, values, sizeof values);
}

static void decode_rejects_every_truncation(void **state)
{
	(void)state;
	struct random random = seeded();
	uint32_t values[INTEGER_RUN_MAX], decoded[INTEGER_RUN_MAX];
	for (int round = 0; round < 50; round++) {
		uint8_t bytes[INTEGER_RUN_BYTES] = {0};
		size_t n = 1 + random_below(&random, INTEGER_RUN_MAX);
		for (size_t i = 0; i < n; i++)
			values[i] = random_value(&random, random_chance(&random, 0.9) ? 6 : 32);
		unsigned width = integer_run_width(values, n);
		size_t length = (integer_run_encode(values, n, width, bytes, 0) + 7) / 8;
		for (size_t cut = 0; cut < length; cut++) {
			uint64_t bit = 0;
			assert_false(decode_tightly(bytes, cut, &bit, n, width, decoded));
		}
	}
}

static void decode_rejects_what_no_encoder_writes(void **state)
{
	(void)state;
	uint32_t decoded[4];
	uint8_t bytes[64] = {0};
	uint64_t bit = 0;
	memset(bytes, 0xff, 32);
	assert_false(decode_tightly(bytes, sizeof bytes, &bit, 4, 32, decoded)); /* too wide */
	assert_true(decode_tightly(bytes, sizeof bytes, &bit, 4, 31, decoded));
	/* one integer of width 31 with the rest 2, which is over 32 bits */
	memset(bytes, 0, sizeof bytes);
	bytes[4] = 1;
	bit = 0;
	assert_true(decode_tightly(bytes, 8, &bit, 1, 31, decoded));
	assert_int_equal(decoded[0], 0x80000000);
	bytes[4] = 2;
	bit = 0;
	assert_false(decode_tightly(bytes, 8, &bit, 1, 31, decoded));
	/* zeros without end */
	memset(bytes, 0, sizeof bytes);
	bit = 5;
	assert_false(decode_tightly(bytes, sizeof bytes, &bit, 1, 0, decoded));
	/* What lies behind the end, here 0xa5, is no part of a run. */
	bit = 0;
	assert_false(decode_tightly(bytes, 0, &bit, 1, 0, decoded));
}

static void random_bytes_never_make_decode_load_beyond_the_slack(void **state)
{
	(void)state;
	struct random random = seeded();
	uint8_t bytes[700];
	uint32_t decoded[INTEGER_RUN_MAX];
	size_t accepted = 0;
	for (int round = 0; round < 100000; round++) {
		size_t n = 1 + random_below(&random, INTEGER_RUN_MAX);
		size_t length = random_below(&random, random_chance(&random, 0.5) ? 40 : sizeof bytes);
		bool sparse = random_chance(&random, 0.5); /* long runs of zeros */
		for (size_t i = 0; i < length; i++)
			bytes[i] = sparse && random_chance(&random, 0.9) ? 0 : (uint8_t)random_next(&random);
		uint64_t bit = length ? random_below(&random, length * 8 < 40 ? length * 8 : 40) : 0;
		accepted += decode_tightly(bytes, length, &bit, n, (unsigned)random_below(&random, 34), decoded);
	}
	assert_true(accepted > 100); /* else the test looks at what is refused only */
}

static void every_instruction_set_was_tested(void **state)
{
	(void)state;
	for (int level = CPU_SCALAR; level <= CPU_AVX512; level++)
		if (!integer_run_decoder_for((enum cpu_level)level))
			print_message("SKIP: this machine has no %s, so that decoder was not tested\n",
			              cpu_level_name((enum cpu_level)level));
	assert_non_null(integer_run_decoder_for(CPU_SCALAR));
	assert_null(integer_run_decoder_for((enum cpu_level)(cpu_level_available() + 1))); /* which it would die of */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_of_every_size_and_width_round_trip),
	    cmocka_unit_test(extreme_runs_round_trip),
	    cmocka_unit_test(no_width_takes_fewer_bits),
	    cmocka_unit_test(low_parts_come_first_then_the_rest_in_unary),
	    cmocka_unit_test(decode_rejects_every_truncation),
	    cmocka_unit_test(decode_rejects_what_no_encoder_writes),
	    cmocka_unit_test(every_instruction_set_was_tested),
	    cmocka_unit_test(random_bytes_never_make_decode_load_beyond_the_slack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
