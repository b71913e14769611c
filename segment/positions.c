#include "segment/positions.h"

#include "base/bytes.h"

const uint8_t position_gap_bits[256] = {
    0,  0,  0,  1,  1,  2,  2,  2,  2,  3,  3,  3,  3,  3,  3,  3,  3,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,
    4,  4,  4,  4,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  8,  8,  8,  8,  8,  8,  8,  8,  9,  9,  9,  9,  9,  9,  9,  9,
    10, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13,
    13, 13, 13, 14, 14, 14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 16, 16, 16, 16, 16, 16, 16, 16, 17, 17,
    17, 17, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19, 20, 20, 20, 20, 20, 20, 20,
    20, 21, 21, 21, 21, 21, 21, 21, 21, 22, 22, 22, 22, 22, 22, 22, 22, 23, 23, 23, 23, 23, 23, 23, 23, 24, 24, 24, 24,
    24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 25, 25, 26, 26, 26, 26, 26, 26, 26, 26, 27, 27, 27, 27, 27, 27, 27, 27, 28,
    28, 28, 28, 28, 28, 28, 28, 29, 29, 29, 29, 29, 29, 29, 29, 30, 30, 30, 30, 30, 30, 30, 30, 31};

#define PUT_MAX 56 /* bits at a time, so that they fit a word with those that wait */

static inline uint64_t low_mask(uint32_t bits)
{
	return ((uint64_t)1 << bits) - 1;
}

/* ---- writing ---- */

/* Append the n low bits of `value`, which has no others; 8 bytes are reserved. */
static inline void put_bits(struct bit_writer *writer, uint64_t value, uint32_t n)
{
	struct buffer *out = writer->out;
	writer->word |= value << writer->waiting;
	writer->waiting += n;
	store64(out->data + out->length, writer->word);
	out->length += writer->waiting / 8;
	writer->word >>= writer->waiting & ~7u;
	writer->waiting &= 7;
}

static void put_zeros(struct bit_writer *writer, uint32_t n)
{
	for (; n > PUT_MAX; n -= PUT_MAX)
		put_bits(writer, 0, PUT_MAX);
	put_bits(writer, 0, n);
}

static bool reserve_bits(struct bit_writer *writer, uint64_t bits)
{
	return buffer_reserve(writer->out, bits / 8 + 16);
}

/* The positions go round in a circle as wide as the next power of two. They begin behind the widest gap, so that the others are at most
 * half the circle. */
static void append_gaps(struct bit_writer *writer, const uint32_t *positions, uint32_t tf, uint32_t bits)
{
	uint64_t circle = (uint64_t)2 << bits, widest = positions[0] + circle - positions[tf - 1];
	uint32_t first = 0;
	for (uint32_t i = 1; i < tf; i++)
		if (positions[i] - positions[i - 1] > widest) {
			widest = positions[i] - positions[i - 1];
			first = i;
		}
	put_bits(writer, positions[first], bits + 1);
	for (uint32_t i = first + 1; i < first + tf; i++) {
		uint64_t gap = (uint64_t)positions[i % tf] - positions[(i - 1) % tf];
		put_bits(writer, (gap - 1) & low_mask(bits), bits);
	}
}

static void append_elias_fano(struct bit_writer *writer, const uint32_t *positions, uint32_t tf, uint32_t last)
{
	uint32_t low = position_low_bits(tf, last), before = 0;
	for (uint32_t i = 0; i < tf; i++)
		put_bits(writer, positions[i] & low_mask(low), low);
	for (uint32_t i = 0; i < tf; i++) {
		uint32_t high = positions[i] >> low;
		if (high - before >= PUT_MAX)
			put_zeros(writer, high - before), before = high;
		put_bits(writer, (uint64_t)1 << (high - before), high - before + 1);
		before = high;
	}
	put_zeros(writer, (last >> low) - before);
}

bool positions_append(struct bit_writer *writer, const uint32_t *positions, uint32_t tf, uint8_t last_byte)
{
	if (!reserve_bits(writer, position_bits(tf, last_byte)))
		return false;
	if (tf == 1)
		put_bits(writer, positions[0], position_gap_bits[last_byte] + 1);
	else if (tf < POSITIONS_ELIAS_FANO)
		append_gaps(writer, positions, tf, position_gap_bits[last_byte]);
	else
		append_elias_fano(writer, positions, tf, position_last(last_byte));
	return true;
}

bool bits_append(struct bit_writer *writer, const uint8_t *bytes, uint32_t first, uint64_t count)
{
	if (!reserve_bits(writer, count))
		return false;
	if (!first && !writer->waiting) {
		memcpy(writer->out->data + writer->out->length, bytes, count / 8);
		writer->out->length += count / 8;
		bytes += count / 8;
		count %= 8;
	}
	for (; count > PUT_MAX; count -= PUT_MAX, bytes += PUT_MAX / 8)
		put_bits(writer, load64(bytes) >> first & low_mask(PUT_MAX), PUT_MAX);
	put_bits(writer, load64(bytes) >> first & low_mask((uint32_t)count), (uint32_t)count);
	return true;
}

void bits_finish(struct bit_writer *writer)
{
	if (writer->waiting)
		writer->out->data[writer->out->length++] = (uint8_t)writer->word;
	writer->word = writer->waiting = 0;
}

/* ---- reading ---- */

static inline uint64_t load_bits(const uint8_t *bytes, uint64_t first)
{
	return load64(bytes + first / 8) >> (first % 8);
}

static bool decode_gaps(const uint8_t *bytes, uint32_t first, uint32_t tf, uint32_t bits, uint32_t *positions)
{
	uint64_t circle = (uint64_t)2 << bits, span = 0, at = first + bits + 1;
	uint32_t start = (uint32_t)(load_bits(bytes, first) & (circle - 1)), wrapped = 0;
	uint32_t round[POSITIONS_ELIAS_FANO];
	round[0] = start;
	for (uint32_t i = 1; i < tf; i++, at += bits) {
		span += (load_bits(bytes, at) & low_mask(bits)) + 1;
		round[i] = (uint32_t)((start + span) & (circle - 1));
		wrapped += start + span >= circle;
	}
	/* Those that went past the circle's end come first. */
	for (uint32_t i = 0; i < tf; i++)
		positions[i] = round[i < wrapped ? i + tf - wrapped : i - wrapped];
	return span < circle;
}

static bool decode_elias_fano(const uint8_t *bytes, uint32_t first, uint32_t tf, uint32_t last, uint32_t *positions)
{
	uint32_t low = position_low_bits(tf, last), found = 0;
	uint64_t at = first, bits = (uint64_t)tf + (last >> low);
	for (uint32_t i = 0; i < tf; i++, at += low)
		positions[i] = (uint32_t)(load_bits(bytes, at) & low_mask(low));
	for (uint64_t start = 0; start < bits; start += PUT_MAX) {
		uint64_t word = load_bits(bytes, at + start) & low_mask(PUT_MAX);
		for (; word; word &= word - 1) {
			uint64_t bit = start + (uint64_t)__builtin_ctzll(word);
			if (bit >= bits)
				return false;
			positions[found] |= (uint32_t)(bit - found) << low;
			if (++found == tf)
				return true;
		}
	}
	return false;
}

bool positions_decode(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t last_byte, uint32_t *positions)
{
	if (tf < POSITIONS_ELIAS_FANO)
		return decode_gaps(bytes, first, tf, position_gap_bits[last_byte], positions);
	return decode_elias_fano(bytes, first, tf, position_last(last_byte), positions);
}
