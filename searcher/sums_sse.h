/* sums_sse.h - running sums by vector, of the same form for AVX2 and AVX-512. */
#ifndef TRAWL_SEARCHER_SUMS_SSE_H
#define TRAWL_SEARCHER_SUMS_SSE_H

#include <immintrin.h>
#include <stdint.h>

static void add_up_sizes(const uint16_t *sizes, uint32_t n, uint16_t *starts)
{
	__m128i sum = _mm_setzero_si128();
	for (uint32_t i = 0; i < n; i += 8) {
		__m128i own = _mm_loadu_si128((const __m128i *)(sizes + i));
		__m128i up_to = _mm_add_epi16(own, _mm_slli_si128(own, 2));
		up_to = _mm_add_epi16(up_to, _mm_slli_si128(up_to, 4));
		up_to = _mm_add_epi16(up_to, _mm_slli_si128(up_to, 8));
		up_to = _mm_add_epi16(up_to, sum);
		_mm_storeu_si128((__m128i *)(starts + i), _mm_sub_epi16(up_to, own));
		sum = _mm_shuffle_epi8(up_to, _mm_set1_epi16(0x0f0e));
	}
}

#endif
