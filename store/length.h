/*
 * length.h - document lengths in one byte, and what follows from them.
 *
 * Lucene's SmallFloat.intToByte4 (org.apache.lucene.util.SmallFloat): the first 24 values as they are, above them a float
 * of 4 significant bits (the first implied), rounded down. Monotone, so bytes compare as lengths do.
 */
#ifndef TRAWL_STORE_LENGTH_H
#define TRAWL_STORE_LENGTH_H

#include <stdint.h>

#define LENGTH_FREE_VALUES 24u

static inline uint8_t length_encode(uint32_t length)
{
	if (length < LENGTH_FREE_VALUES)
		return (uint8_t)length;
	uint32_t rest = length - LENGTH_FREE_VALUES;
	if (rest < 8)
		return (uint8_t)(LENGTH_FREE_VALUES + rest);
	uint32_t shift = 28u - (uint32_t)__builtin_clz(rest);
	uint32_t code = LENGTH_FREE_VALUES + (((rest >> shift) & 7u) | ((shift + 1) << 3));
	return (uint8_t)(code > 255 ? 255 : code);
}

static inline uint32_t length_decode(uint8_t code)
{
	if (code < LENGTH_FREE_VALUES + 8)
		return code;
	uint32_t bits = code - LENGTH_FREE_VALUES;
	uint32_t shift = (bits >> 3) - 1;
	return LENGTH_FREE_VALUES + ((8u | (bits & 7u)) << shift);
}

/* The greatest length that has this code. */
static inline uint32_t length_longest(uint8_t code)
{
	return code == 255 ? UINT32_MAX : length_decode((uint8_t)(code + 1)) - 1;
}

/* The layout of one posting's positions (docs/FORMAT.md, Positions). */
struct position_layout {
	uint32_t low_bytes; /* of each low part: 1 to 4 */
	uint32_t high_max;  /* the greatest high part; 0: there are none */
};

static inline struct position_layout position_layout(uint32_t tf, uint8_t length_code)
{
	uint32_t last = length_longest(length_code) - (length_code ? 1 : 0);
	for (uint32_t bytes = 1; bytes < 4; bytes++) {
		uint32_t high = last >> (8 * bytes);
		if (high <= 2 * (uint64_t)tf + 8)
			return (struct position_layout){bytes, high};
	}
	return (struct position_layout){4, 0};
}

static inline uint64_t position_bytes(uint32_t tf, uint8_t length_code)
{
	struct position_layout layout = position_layout(tf, length_code);
	uint64_t bytes = (uint64_t)tf * layout.low_bytes;
	if (layout.high_max)
		bytes += ((uint64_t)tf + layout.high_max + 7) / 8;
	return bytes;
}

/* Up to this code positions are one byte each. */
#define LENGTH_ONE_BYTE_MAX 69

#endif
