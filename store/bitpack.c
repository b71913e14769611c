#include "store/bitpack.h"

#include "base/bytes.h"

static unsigned bit_width(uint32_t value)
{
	return value ? 32u - (unsigned)__builtin_clz(value) : 0;
}

static size_t varint_bytes(uint32_t value)
{
	return value < 1u << 7 ? 1 : value < 1u << 14 ? 2 : value < 1u << 21 ? 3 : value < 1u << 28 ? 4 : 5;
}

/* The width that takes the fewest bytes: n w / 8, and for each wider integer an index and about a varint. */
static unsigned best_width(const uint32_t *values, size_t n)
{
	size_t of_width[33] = {0};
	for (size_t i = 0; i < n; i++)
		of_width[bit_width(values[i])]++;
	unsigned best = 32;
	size_t best_cost = SIZE_MAX;
	for (unsigned w = 0; w <= 32; w++) {
		size_t cost = (n * w + 7) / 8;
		for (unsigned wider = w + 1; wider <= 32; wider++)
			cost += of_width[wider] * (1 + (wider - w + 6) / 7);
		if (cost < best_cost) {
			best_cost = cost;
			best = w;
		}
	}
	return best;
}

size_t integer_run_encode(const uint32_t *values, size_t n, uint8_t *out)
{
	unsigned w = best_width(values, n);
	uint64_t mask = ((uint64_t)1 << w) - 1, pending = 0;
	unsigned pending_bits = 0;
	size_t exceptions = 0;
	uint8_t index[INTEGER_RUN_MAX];
	uint8_t *at = out + 2;
	for (size_t i = 0; i < n; i++) {
		if (bit_width(values[i]) > w)
			index[exceptions++] = (uint8_t)i;
		pending |= (values[i] & mask) << pending_bits;
		for (pending_bits += w; pending_bits >= 8; pending_bits -= 8) {
			*at++ = (uint8_t)pending;
			pending >>= 8;
		}
	}
	if (pending_bits)
		*at++ = (uint8_t)pending;
	out[0] = (uint8_t)w;
	out[1] = (uint8_t)exceptions;
	memcpy(at, index, exceptions);
	at += exceptions;
	for (size_t i = 0; i < exceptions; i++) {
		uint32_t high = values[index[i]] >> w;
		for (size_t left = varint_bytes(high); left > 1; left--) {
			*at++ = (uint8_t)(high | 0x80);
			high >>= 7;
		}
		*at++ = (uint8_t)high;
	}
	return (size_t)(at - out);
}

const uint8_t *integer_run_decode(const uint8_t *in, const uint8_t *end, size_t n, uint32_t *values)
{
	if (end - in < 2)
		return NULL;
	unsigned w = in[0];
	size_t exceptions = in[1], packed = (n * w + 7) / 8;
	in += 2;
	if (w > 32 || exceptions > n || (size_t)(end - in) < packed + exceptions)
		return NULL;
	uint64_t mask = ((uint64_t)1 << w) - 1;
	/* w <= 32 and a start within a byte: 39 bits at most, so one 8-byte load has them. */
	for (size_t i = 0, bit = 0; i < n; i++, bit += w)
		values[i] = (uint32_t)(load64(in + bit / 8) >> (bit % 8) & mask);
	in += packed;
	const uint8_t *index = in;
	in += exceptions;
	for (size_t i = 0; i < exceptions; i++) {
		uint64_t high;
		if (index[i] >= n || w >= 32 || !varint_read(&in, end, &high) || high > UINT32_MAX >> w)
			return NULL;
		values[index[i]] |= (uint32_t)(high << w);
	}
	return in;
}
