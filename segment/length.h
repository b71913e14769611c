/*
 * length.h - document lengths in one byte, and what follows from them.
 *
 * Lucene's SmallFloat.intToByte4 (org.apache.lucene.util.SmallFloat): the first 24 values as they are, above them a float
 * of 4 significant bits (the first implied), rounded down. Monotone, so bytes compare as lengths do.
 */
#ifndef TRAWL_SEGMENT_LENGTH_H
#define TRAWL_SEGMENT_LENGTH_H

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

#endif
