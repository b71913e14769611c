#include "segment/bitpack.h"

#include "base/bytes.h"

static uint64_t run_bits(const uint32_t *values, size_t n, unsigned width)
{
	uint64_t bits = (uint64_t)n * (width + 1);
	for (size_t i = 0; i < n; i++)
		bits += values[i] >> width;
	return bits;
}

unsigned integer_run_width(const uint32_t *values, size_t n)
{
	uint64_t sum = 0, bits, fewer;
	unsigned width = 0;
	for (size_t i = 0; i < n; i++)
		sum += values[i];
	/* From the mean's width, with which high parts take 2 bits each on the average, down as long as it gets better. */
	while (width < INTEGER_RUN_WIDTH_MAX && sum >> width > n)
		width++;
	for (bits = run_bits(values, n, width); width && (fewer = run_bits(values, n, width - 1)) < bits; bits = fewer)
		width--;
	return width;
}

static void put_bits(uint8_t *out, uint64_t bit, uint64_t value)
{
	for (value <<= bit % 8; value; value >>= 8, bit += 8)
		out[bit / 8] |= (uint8_t)value;
}

uint64_t integer_run_encode(const uint32_t *values, size_t n, unsigned width, uint8_t *out, uint64_t bit)
{
	uint64_t mask = ((uint64_t)1 << width) - 1;
	for (size_t i = 0; i < n; i++, bit += width)
		put_bits(out, bit, values[i] & mask);
	for (size_t i = 0; i < n; i++, bit++) {
		bit += values[i] >> width;
		put_bits(out, bit, 1);
	}
	return bit;
}

/* The high parts: as many zeros before each one. Returns the bit behind the last, 0 if they are cut off. */
static uint64_t decode_unary(const uint8_t *in, uint64_t bit, uint64_t limit, size_t n, uint32_t *values)
{
	uint64_t start = bit & ~(uint64_t)7, previous = bit;
	uint64_t word = load64(in + start / 8) & UINT64_MAX << (bit % 8);
	for (size_t i = 0; i < n; i++) {
		while (!word) {
			start += 64;
			if (start >= limit)
				return 0;
			word = load64(in + start / 8);
		}
		uint64_t one = start + (uint64_t)__builtin_ctzll(word);
		word &= word - 1;
		values[i] = (uint32_t)(one - previous);
		previous = one + 1;
	}
	return previous <= limit ? previous : 0;
}

bool integer_run_decode_plain(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                              uint32_t *values)
{
	uint64_t limit = (uint64_t)(end - in) * 8, low = *bit;
	if (width > INTEGER_RUN_WIDTH_MAX || low + (uint64_t)n * width > limit)
		return false;
	*bit = decode_unary(in, low + (uint64_t)n * width, limit, n, values);
	if (!*bit)
		return false;
	if (!width)
		return true;
	/* 31 bits and a start within a byte: one 8-byte load has them. */
	uint32_t mask = ((uint32_t)1 << width) - 1, highest = 0;
	for (size_t i = 0; i < n; i++, low += width) {
		highest |= values[i];
		values[i] = values[i] << width | ((uint32_t)(load64(in + low / 8) >> (low % 8)) & mask);
	}
	return highest <= UINT32_MAX >> width;
}

integer_run_decoder *integer_run_decoder_for(enum cpu_level level)
{
	if (level > cpu_level_available())
		return NULL;
#if defined(__x86_64__)
	if (level != CPU_SCALAR)
		return level == CPU_AVX512 ? integer_run_decode_avx512 : integer_run_decode_avx2;
#endif
	return integer_run_decode_plain;
}

bool integer_run_decode(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                        uint32_t *values)
{
#if defined(__x86_64__)
	enum cpu_level level = cpu_level();
	if (level == CPU_AVX512)
		return integer_run_decode_avx512(in, end, bit, n, width, values);
	if (level == CPU_AVX2)
		return integer_run_decode_avx2(in, end, bit, n, width, values);
#endif
	return integer_run_decode_plain(in, end, bit, n, width, values);
}
