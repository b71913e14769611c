#include "tests/letter.h"

#include <stdlib.h>

#include "segment/length.h"

static bool bit_at(const uint8_t *bytes, uint64_t at)
{
	return bytes[at / 8] >> at % 8 & 1;
}

static uint64_t number_at(const uint8_t *bytes, uint64_t at, unsigned bits)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < bits; i++)
		number |= (uint64_t)bit_at(bytes, at + i) << i;
	return number;
}

bool letter_run(const uint8_t *bytes, uint64_t bits, uint64_t *bit, size_t n, unsigned width, uint32_t *values)
{
	uint64_t low = *bit, at = low + (uint64_t)n * width;
	if (width > 31 || at > bits)
		return false;
	for (size_t i = 0; i < n; i++, at++) {
		uint64_t rest = 0;
		for (; at < bits && !bit_at(bytes, at); at++)
			rest++;
		uint64_t value = rest << width | number_at(bytes, low + i * width, width);
		if (at >= bits || value > UINT32_MAX)
			return false;
		values[i] = (uint32_t)value;
	}
	*bit = at;
	return true;
}

bool letter_sparse_list(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents, uint32_t *docs,
                        uint32_t *tfs)
{
	uint64_t at = 0, doc = 0;
	for (uint32_t start = 0; start < n; start += 128) {
		uint32_t count = n - start < 128 ? n - start : 128;
		uint64_t bit = 0;
		if (at >= length)
			return false;
		unsigned width = bytes[at] & 31, tf_width = bytes[at] >> 5;
		at++;
		if (tf_width == 7 && at >= length)
			return false;
		if (tf_width == 7)
			tf_width = bytes[at++];
		if (!letter_run(bytes + at, (length - at) * 8, &bit, count, width, docs + start) ||
		    !letter_run(bytes + at, (length - at) * 8, &bit, count, tf_width, tfs + start))
			return false;
		at += (bit + 7) / 8;
		for (uint32_t i = start; i < start + count; i++) {
			doc += docs[i];
			if (doc >= documents || tfs[i] == UINT32_MAX)
				return false;
			docs[i] = (uint32_t)doc++;
			tfs[i]++;
		}
	}
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

bool letter_positions(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t last_byte, uint32_t *positions)
{
	uint64_t longest = length_longest(last_byte), last = longest ? longest - 1 : 0, at = first;
	unsigned bits = 0;
	if (tf < 8) {
		while (last >> (bits + 1))
			bits++;
		uint64_t circle = (uint64_t)2 << bits, place = number_at(bytes, at, bits + 1), round = 0;
		positions[0] = (uint32_t)place;
		at += bits + 1;
		for (uint32_t i = 1; i < tf; i++, at += bits) {
			round += number_at(bytes, at, bits) + 1;
			positions[i] = (uint32_t)((place + round) % circle);
		}
		qsort(positions, tf, sizeof *positions, compare_numbers);
		return round < circle;
	}
	while ((uint64_t)tf << (bits + 1) <= last)
		bits++;
	uint64_t high = 0, unary = at + (uint64_t)tf * bits, end = unary + tf + (last >> bits);
	for (uint32_t i = 0; i < tf; i++, unary++) {
		for (; unary < end && !bit_at(bytes, unary); unary++)
			high++;
		if (unary >= end)
			return false;
		positions[i] = (uint32_t)(high << bits | number_at(bytes, at + (uint64_t)i * bits, bits));
	}
	return true;
}

/* Documents and 2-bit codes, code and place in the chunk's order of exceptions. */
struct place {
	uint32_t in_blocks; /* the posting's number */
	bool bitmap;
};

bool letter_chunk(const uint8_t *bytes, uint32_t length, unsigned offset_bytes, unsigned exception_bits,
                  uint32_t docs[1024], uint32_t tfs[1024], uint32_t *n)
{
	struct place places[1024];
	uint64_t at = offset_bytes, headers = at + 2, blocks = 0, byte_count = 0, bitmap_count = 0, codes = 0;
	if (length < headers)
		return false;
	uint32_t mask = bytes[at] | (uint32_t)bytes[at + 1] << 8;
	for (unsigned block = 0; block < 16; block++)
		blocks += mask >> block & 1;
	if (length < headers + blocks)
		return false;
	for (uint64_t i = 0; i < blocks; i++) {
		unsigned low = bytes[headers + i] & 15;
		if (low >= 10 && low < 15)
			return false;
		bitmap_count += low == 15;
		byte_count += low == 15 ? 0 : low + 1;
	}
	uint64_t bitmaps = headers + blocks, byte_form = bitmaps + 8 * bitmap_count, code_bits = byte_form + byte_count;
	if (length < code_bits)
		return false;
	*n = 0;
	for (unsigned block = 0, i = 0; block < 16; block++) {
		if (!(mask >> block & 1))
			continue;
		unsigned low = bytes[headers + i++] & 15, before = *n;
		for (unsigned offset = 0; low == 15 && offset < 64; offset++)
			if (bit_at(bytes + bitmaps, offset)) {
				docs[*n] = block * 64 + offset;
				tfs[*n] = (uint32_t)codes++;
				places[*n] = (struct place){*n, true};
				++*n;
			}
		bitmaps += low == 15 ? 8 : 0;
		for (unsigned j = 0; low < 15 && j <= low; j++, ++*n) {
			docs[*n] = block * 64 + (bytes[byte_form] & 63u);
			tfs[*n] = (bytes[byte_form++] >> 6) + 1u;
			places[*n] = (struct place){*n, false};
			if (j && docs[*n] <= docs[*n - 1])
				return false;
		}
		if (*n == before)
			return false;
	}
	uint64_t exceptions = code_bits + (codes + 3) / 4, total = 0, stored = 0, most = (1u << exception_bits) - 1;
	if (length < exceptions)
		return false;
	for (uint32_t i = 0; i < *n; i++) {
		if (places[i].bitmap)
			tfs[i] = (uint32_t)number_at(bytes + code_bits, 2 * (uint64_t)tfs[i], 2) + 1;
		total += tfs[i] == 4;
	}
	uint64_t wide = exceptions + (total * exception_bits + 7) / 8;
	if (length < wide)
		return false;
	for (int bitmap = 0; bitmap < 2; bitmap++) /* byte-form ones first */
		for (uint32_t i = 0; i < *n; i++) {
			if (places[i].bitmap != bitmap || tfs[i] != 4)
				continue;
			uint64_t value = number_at(bytes + exceptions, exception_bits * stored++, exception_bits);
			tfs[i] = (uint32_t)value + 4;
			if (value < most)
				continue;
			if (length < wide + 4)
				return false;
			tfs[i] = (uint32_t)number_at(bytes + wide, 0, 32);
			wide += 4;
			if (tfs[i] < 4 + most)
				return false;
		}
	return true;
}
