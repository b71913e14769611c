/*
 * bitpack_impl.h - what bitpack_avx2.c and bitpack_avx512.c have in common, compiled by each for its instruction set. They define
 * write_ones first: it writes the places of the `count` ones of a word, as bit numbers from `start` on, and may write 64 numbers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Where the ones of a run's unary part are, from bit `bit` on, ones[1] the first; 64 more than n may be written. false: cut
 * off. */
static bool find_ones(const uint8_t *in, uint64_t bit, uint64_t limit, size_t n, uint32_t *ones)
{
	uint64_t start = bit & ~(uint64_t)7;
	uint64_t word = load64(in + start / 8) & UINT64_MAX << (bit % 8);
	size_t found = 1;
	ones[0] = (uint32_t)bit - 1;
	for (;;) {
		size_t count = (size_t)__builtin_popcountll(word);
		write_ones(word, count, (uint32_t)start, ones + found);
		found += count;
		if (found > n)
			return ones[n] < limit;
		start += 64;
		if (start >= limit)
			return false;
		word = load64(in + start / 8);
	}
}
