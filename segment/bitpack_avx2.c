/* bitpack_avx2.c - integer runs decoded with AVX2 and BMI. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "base/bytes.h"
#include "segment/bitpack.h"

#define LANES 8

/* Eight at a time, of which some are no ones, so that there is little to predict. */
static inline void write_ones(uint64_t word, size_t count, uint32_t start, uint32_t *out)
{
	for (size_t i = 0; i < count; i += LANES)
		for (size_t j = 0; j < LANES; j++, word &= word - 1)
			out[i + j] = start + (uint32_t)_tzcnt_u64(word);
}

#include "segment/bitpack_impl.h"

/* Without low parts most integers are 0: the zeros of the unary part are counted. Returns the bit behind the last one, 0: cut
 * off. */
static uint64_t count_zeros(const uint8_t *in, uint64_t bit, uint64_t limit, size_t n, uint32_t *values)
{
	memset(values, 0, n * sizeof *values);
	for (size_t done = 0; bit < limit;) {
		uint64_t valid = UINT64_MAX >> (bit % 8), word = load64(in + bit / 8) >> (bit % 8);
		size_t ones = (size_t)__builtin_popcountll(word);
		bool last = done + ones >= n;
		uint64_t end = last ? _pdep_u64((uint64_t)1 << (n - done - 1), word) : 0;
		uint32_t *at = values + done;
		for (uint64_t zeros = ~word & (last ? end - 1 : valid); zeros; zeros &= zeros - 1, at--)
			at[_tzcnt_u64(zeros)]++;
		if (last) {
			bit += _tzcnt_u64(end) + 1;
			return bit <= limit ? bit : 0;
		}
		done += ones;
		bit += 64 - bit % 8;
	}
	return 0;
}

#define GATHERED_WIDTH_MAX 25 /* of parts that lie within four bytes wherever they start */

bool integer_run_decode_avx2(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                             uint32_t *values)
{
	uint32_t ones[1 + INTEGER_RUN_MAX + 64 + LANES];
	uint64_t limit = (uint64_t)(end - in) * 8, low = *bit;
	if (width > GATHERED_WIDTH_MAX)
		return integer_run_decode_plain(in, end, bit, n, width, values);
	if (!width) {
		*bit = count_zeros(in, low, limit, n, values);
		return *bit != 0;
	}
	if (low + (uint64_t)n * width > limit || !find_ones(in, low + (uint64_t)n * width, limit, n, ones))
		return false;
	*bit = (uint64_t)ones[n] + 1;
	/* 8 low parts are whole bytes, so that all vectors look at the same places of theirs. */
	const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), one = _mm256_set1_epi32(1);
	__m256i bits = _mm256_add_epi32(_mm256_mullo_epi32(lanes, _mm256_set1_epi32((int)width)),
	                                _mm256_set1_epi32((int)(low % 8)));
	__m256i places = _mm256_srli_epi32(bits, 3), shifts = _mm256_and_si256(bits, _mm256_set1_epi32(7));
	__m256i mask = _mm256_set1_epi32((int)(((uint32_t)1 << width) - 1));
	__m128i by = _mm_cvtsi32_si128((int)width);
	__m256i most = _mm256_setzero_si256();
	for (size_t i = 0; i < n; i += LANES) {
		__m256i high = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(ones + 1 + i)),
		                                _mm256_loadu_si256((const __m256i *)(ones + i)));
		high = _mm256_sub_epi32(high, one);
		__m256i present = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
		most = _mm256_max_epu32(most, _mm256_and_si256(present, high));
		const uint8_t *bytes = in + low / 8 + i / 8 * width;
		__m256i parts =
		    _mm256_srlv_epi32(_mm256_i32gather_epi32((const int *)(const void *)bytes, places, 1), shifts);
		high = _mm256_or_si256(_mm256_sll_epi32(high, by), _mm256_and_si256(parts, mask));
		_mm256_storeu_si256((__m256i *)(values + i), high);
	}
	uint32_t mosts[LANES], greatest = 0;
	_mm256_storeu_si256((__m256i *)mosts, most);
	for (size_t i = 0; i < LANES; i++)
		greatest = mosts[i] > greatest ? mosts[i] : greatest;
	return greatest <= UINT32_MAX >> width;
}
#else
typedef int bitpack_avx2_unused;
#endif
