/* Positions: what the decoder makes of any bits is what docs/FORMAT.md says of them; what no encoder writes is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "segment/positions.h"
#include "tests/letter.h"
#include "tests/made_lists.h"

#define LOAD_SLACK 8 /* that positions_decode may load past the end */

/* Decode from a heap block of exactly the posting's bytes and the slack, behind which the address sanitizer sees any load; the slack is
 * tried with zeros and with ones, neither of which may matter. */
static bool decode(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t span, uint32_t *positions)
{
	uint64_t length = bytes_of_bits(first, position_bits(tf, span));
	uint32_t *expected = malloc(tf * sizeof *expected);
	bool sound = letter_positions(bytes, first, tf, span, expected);
	for (int filling = 0; filling < 2; filling++) {
		uint8_t *tight = malloc(length + LOAD_SLACK);
		memcpy(tight, bytes, length);
		memset(tight + length, filling ? 0xff : 0, LOAD_SLACK);
		assert_int_equal(positions_decode(tight, first, tf, span, positions), sound);
		if (sound)
			assert_memory_equal(positions, expected, tf * sizeof *positions);
		free(tight);
	}
	free(expected);
	return sound;
}

static void any_bits_are_what_the_format_says(void **state)
{
	(void)state;
	struct random random = seeded();
	uint32_t *positions = malloc(3000 * sizeof *positions);
	long sound[2] = {0}, refused[2] = {0};
	for (int round = 0; round < 20000; round++) {
		uint8_t span = (uint8_t)random_below(&random, random_chance(&random, 0.9) ? 120 : 256);
		uint32_t tf = 1 + (uint32_t)random_below(&random, random_chance(&random, 0.9) ? 20 : 2999);
		uint32_t first = (uint32_t)random_below(&random, 8);
		uint64_t length = bytes_of_bits(first, position_bits(tf, span));
		if (length > 1 << 20)
			continue;
		uint8_t *bytes = malloc(length);
		uint64_t ones = random_below(&random, 4); /* of four bits */
		for (uint64_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)(ones == 0   ? random_next(&random) & random_next(&random)
			                     : ones == 1 ? random_next(&random)
			                                 : random_next(&random) | random_next(&random));
		(decode(bytes, first, tf, span, positions) ? sound : refused)[tf >= POSITIONS_ELIAS_FANO]++;
		free(bytes);
	}
	free(positions);
	for (int form = 0; form < 2; form++)
		assert_true(sound[form] > 500 && refused[form] > 500);
}

static void gaps_that_go_round_more_than_once_are_refused(void **state)
{
	(void)state;
	/* A span of 8: M = 7, v = 2, a circle of 8. Position 1, then gaps less one of 3 and 2, which is 7 in all; then of 3 and 3, which is 8. */
	const uint8_t span = length_encode(8), sound[] = {1 | 3 << 3 | 2 << 5}, once_round[] = {1 | 3 << 3 | 3 << 5};
	uint32_t positions[3];
	assert_int_equal(position_bits(3, span), 7);
	assert_true(decode(sound, 0, 3, span, positions));
	assert_int_equal(positions[0], 0);
	assert_int_equal(positions[1], 1);
	assert_int_equal(positions[2], 5);
	assert_false(decode(once_round, 0, 3, span, positions));
}

static void high_parts_that_end_behind_the_posting_are_refused(void **state)
{
	(void)state;
	/* A span of 32 and 8 positions: M = 31, l = 1: 8 low bits, then 8 ones among 8 + 15 bits. */
	const uint8_t span = length_encode(32);
	uint32_t positions[8];
	assert_int_equal(length_longest(span), 32);
	assert_int_equal(position_bits(8, span), 31);
	uint8_t bytes[4] = {0, 0, 0, 0x7f}; /* 7 ones up to the last bit */
	assert_false(decode(bytes, 0, 8, span, positions));
	bytes[3] = 0xff; /* and one behind it */
	assert_false(decode(bytes, 0, 8, span, positions));
	bytes[2] = 0x80;
	assert_true(decode(bytes, 0, 8, span, positions));
	assert_int_equal(positions[7], 2 * 15);
	/* As many zeros as there may be, and no one: what the next 64 bits have is no matter. */
	memset(bytes, 0, sizeof bytes);
	assert_false(decode(bytes, 0, 8, span, positions));
}

/* Positions at both ends of a document, and none between: high parts that grow by more than a word's bits at once. */
static void clusters_far_apart_round_trip(void **state)
{
	(void)state;
	uint32_t positions[400], decoded[400];
	for (uint32_t tf = 8; tf <= 400; tf += 7)
		for (uint32_t early = 0; early <= tf; early += 1 + tf / 9)
			for (uint32_t first = 0; first < 8; first++) {
				uint8_t span = length_encode(1u << first << 12);
				struct buffer out = {0};
				struct bit_writer writer = {.out = &out};
				const uint8_t none[9] = {0};
				for (uint32_t i = 0; i < tf; i++)
					positions[i] = i < early ? i : position_last(span) + 1 - tf + i;
				assert_true(bits_append(&writer, none, 0, first) &&
				            positions_append(&writer, positions, tf, span));
				bits_finish(&writer);
				assert_int_equal(out.length, bytes_of_bits(first, position_bits(tf, span)));
				assert_true(decode(out.data, first, tf, span, decoded));
				assert_memory_equal(decoded, positions, tf * sizeof *positions);
				buffer_release(&out);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gaps_that_go_round_more_than_once_are_refused),
	    cmocka_unit_test(high_parts_that_end_behind_the_posting_are_refused),
	    cmocka_unit_test(clusters_far_apart_round_trip),
	    cmocka_unit_test(any_bits_are_what_the_format_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
