/* bitpack_avx512.c - integer runs decoded with AVX-512 F, BW, VBMI and VBMI2. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "base/bytes.h"
#include "segment/bitpack.h"

#define LANES 16

/* All 64, in four vectors, so that there is little to predict. */
static inline void write_ones(uint64_t word, size_t count, uint32_t start, uint32_t *out)
{
	const __m512i places =
	    _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
	                     0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);
	__m512i mine = _mm512_maskz_compress_epi8(word, places), base = _mm512_set1_epi32((int)start);
	(void)count;
	for (size_t i = 0; i < 64; i += LANES) {
		__m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(mine));
		_mm512_storeu_si512(out + i, _mm512_add_epi32(base, wide));
		mine = _mm512_alignr_epi64(mine, mine, 2);
	}
}

#include "segment/bitpack_impl.h"

/* 8 low parts a vector: the bytes that each lies in, shifted. */
static inline __m256i load_low(__m512i bytes, __m512i places, __m512i shifts)
{
	return _mm512_cvtepi64_epi32(_mm512_srlv_epi64(_mm512_permutexvar_epi8(places, bytes), shifts));
}

bool integer_run_decode_avx512(const uint8_t *in, const uint8_t *end, uint64_t *bit, size_t n, unsigned width,
                               uint32_t *values)
{
	uint32_t ones[1 + INTEGER_RUN_MAX + 64 + LANES];
	uint64_t limit = (uint64_t)(end - in) * 8, low = *bit;
	if (width > INTEGER_RUN_WIDTH_MAX || low + (uint64_t)n * width > limit ||
	    !find_ones(in, low + (uint64_t)n * width, limit, n, ones))
		return false;
	*bit = (uint64_t)ones[n] + 1;
	/* 16 low parts are whole bytes, so that all vectors look at the same places of theirs. */
	const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
	__m512i first = _mm512_add_epi64(_mm512_mullo_epi64(lanes, _mm512_set1_epi64(width)),
	                                 _mm512_set1_epi64((long long)(low % 8)));
	__m512i second = _mm512_add_epi64(first, _mm512_set1_epi64(8 * (long long)width));
	const __m512i repeat =
	    _mm512_set_epi64(0x3838383838383838, 0x3030303030303030, 0x2828282828282828, 0x2020202020202020,
	                     0x1818181818181818, 0x1010101010101010, 0x0808080808080808, 0);
	const __m512i following = _mm512_set1_epi64(0x0706050403020100);
	__m512i first_places = _mm512_add_epi8(_mm512_permutexvar_epi8(repeat, _mm512_srli_epi64(first, 3)), following);
	__m512i second_places =
	    _mm512_add_epi8(_mm512_permutexvar_epi8(repeat, _mm512_srli_epi64(second, 3)), following);
	__m512i first_shifts = _mm512_and_si512(first, _mm512_set1_epi64(7)),
	        second_shifts = _mm512_and_si512(second, _mm512_set1_epi64(7));
	__m512i mask = _mm512_set1_epi32((int)(((uint32_t)1 << width) - 1)), most = _mm512_setzero_si512();
	__m128i by = _mm_cvtsi32_si128((int)width);
	for (size_t i = 0; i < n; i += LANES) {
		__m512i high = _mm512_sub_epi32(_mm512_loadu_si512(ones + 1 + i), _mm512_loadu_si512(ones + i));
		high = _mm512_sub_epi32(high, _mm512_set1_epi32(1));
		if (width) {
			__mmask16 present = n - i < LANES ? (__mmask16)((1u << (n - i)) - 1) : 0xffff;
			__m512i bytes = _mm512_loadu_si512(in + low / 8 + i / 8 * width);
			__m512i parts =
			    _mm512_inserti64x4(_mm512_castsi256_si512(load_low(bytes, first_places, first_shifts)),
			                       load_low(bytes, second_places, second_shifts), 1);
			most = _mm512_mask_max_epu32(most, present, most, high);
			high = _mm512_or_si512(_mm512_sll_epi32(high, by), _mm512_and_si512(parts, mask));
		}
		_mm512_storeu_si512(values + i, high);
	}
	return _mm512_cmpgt_epu32_mask(most, _mm512_set1_epi32((int)(UINT32_MAX >> width))) == 0;
}
#else
typedef int bitpack_avx512_unused;
#endif
