/* kernel_avx512.c - AVX-512 F, BW, DQ, VL, VBMI, VBMI2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "searcher/kernel_common.h"

static inline __m512 widen(const uint8_t *bytes)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)bytes)));
}

static void add_bounds(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m512 factor = _mm512_set1_ps(step);
	for (uint32_t i = 0; i < n; i += 16)
		_mm512_storeu_ps(sums + i, _mm512_add_ps(_mm512_loadu_ps(sums + i), _mm512_mul_ps(factor, widen(bounds + i))));
}

static void add_required(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m512 factor = _mm512_set1_ps(step), never = _mm512_set1_ps(-INFINITY);
	for (uint32_t i = 0; i < n; i += 16) {
		__m512 bound = widen(bounds + i);
		__mmask16 present = _mm512_cmp_ps_mask(bound, _mm512_setzero_ps(), _CMP_NEQ_OQ);
		__m512 sum = _mm512_add_ps(_mm512_loadu_ps(sums + i), _mm512_mul_ps(factor, bound));
		_mm512_storeu_ps(sums + i, _mm512_mask_mov_ps(never, present, sum));
	}
}

static uint32_t select_sums(const float *sums, float threshold, uint32_t n, uint32_t *indices)
{
	__m512 least = _mm512_set1_ps(threshold), zero = _mm512_setzero_ps();
	__m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i += 16) {
		__m512 sum = _mm512_loadu_ps(sums + i);
		__mmask16 keep = _mm512_cmp_ps_mask(sum, least, _CMP_GE_OQ) & _mm512_cmp_ps_mask(sum, zero, _CMP_GT_OQ);
		if (keep) {
			/* Compress in a register: the store form is microcoded on some processors. */
			__m512i kept = _mm512_maskz_compress_epi32(keep, _mm512_add_epi32(index, _mm512_set1_epi32((int)i)));
			_mm512_storeu_si512(indices + count, kept);
			count += (uint32_t)__builtin_popcount(keep);
		}
	}
	return count;
}

static uint64_t at_least(const float scores[RANGE_DOCUMENTS], float threshold)
{
	__m512 least = _mm512_set1_ps(threshold);
	uint64_t mask = 0;
	for (uint32_t i = 0; i < RANGE_DOCUMENTS; i += 16)
		mask |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), least, _CMP_GE_OQ) << i;
	return mask;
}

static void add_levels(const struct chunk *chunk, const float levels[16], float bounds[SUPERBLOCK_RANGES])
{
	/* One header byte an occupied range: expand to the 16 ranges, look the levels up in a register. */
	__mmask16 occupied = (__mmask16)chunk->range_mask;
	__m128i headers = _mm_maskz_expand_epi8(occupied, _mm_loadu_si128((const __m128i *)chunk->headers));
	__m512i index = _mm512_srli_epi32(_mm512_cvtepu8_epi32(headers), 4);
	__m512 level = _mm512_permutexvar_ps(index, _mm512_loadu_ps(levels)), sum = _mm512_loadu_ps(bounds);
	_mm512_storeu_ps(bounds, _mm512_mask_add_ps(sum, occupied, sum, level));
}

const struct kernel kernel_avx512 = {add_bounds,        add_required,      select_sums, at_least,
                                     score_range_plain, chunk_masks_plain, add_levels};
#else
typedef int kernel_avx512_unused;
#endif
