/*
 * positions.h - token positions as bits (docs/FORMAT.md, Positions): how many a posting takes, writing and reading them.
 *
 * The size of a posting's positions follows from its tf and its document's last-position byte alone.
 */
#ifndef TRAWL_SEGMENT_POSITIONS_H
#define TRAWL_SEGMENT_POSITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "segment/length.h"

/* From this tf on positions are stored as Elias-Fano, below it as gaps. */
#define POSITIONS_ELIAS_FANO 8

/* The greatest position that a document with this last-position byte can have; 0 also where there is none. */
static inline uint32_t position_last(uint8_t last_byte)
{
	return length_longest(last_byte) - (last_byte ? 1 : 0);
}

/* Of gaps, by last-position byte: bits of each gap less one; the first position has one more. */
extern const uint8_t position_gap_bits[256];

/* Of Elias-Fano: bits of each low part. */
static inline uint32_t position_low_bits(uint32_t tf, uint32_t last)
{
	if (last < tf)
		return 0;
	uint32_t bits = (uint32_t)(__builtin_clz(tf) - __builtin_clz(last));
	return bits - (tf > last >> bits);
}

static inline uint64_t position_bits(uint32_t tf, uint8_t last_byte)
{
	if (tf < POSITIONS_ELIAS_FANO)
		return tf * position_gap_bits[last_byte] + 1;
	uint32_t last = position_last(last_byte), low = position_low_bits(tf, last);
	return (uint64_t)tf * (low + 1) + (last >> low);
}

/* Bits being written behind whole bytes: up to 7 wait for their byte. */
struct bit_writer {
	struct buffer *out;
	uint64_t word;
	uint32_t waiting;
};

/* Append one posting's positions, which ascend. false: out of memory. */
bool positions_append(struct bit_writer *writer, const uint32_t *positions, uint32_t tf, uint8_t last_byte);

/* Append `count` bits, of `bytes` those from number `first` < 8 on; 8 bytes behind the last may be loaded. */
bool bits_append(struct bit_writer *writer, const uint8_t *bytes, uint32_t first, uint64_t count);

/* Fill the last byte up with zeros; appending left room for it. */
void bits_finish(struct bit_writer *writer);

/* Positions of one posting, ascending, into `positions`: position_bits(tf, last_byte) bits of `bytes` from number `first` < 8 on; 8 bytes
 * behind the last may be loaded. false: malformed. */
bool positions_decode(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t last_byte, uint32_t *positions);

/* The bytes that `bits` bits from number `first` < 8 of a byte on lie in. */
static inline uint64_t bytes_of_bits(uint32_t first, uint64_t bits)
{
	return (first + bits + 7) / 8;
}

#endif
