/* kernel_avx2.c - AVX2 and BMI2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "searcher/kernel_common.h"

static inline __m256 widen(const uint8_t *bytes)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes)));
}

static void add_bounds(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m256 factor = _mm256_set1_ps(step);
	for (uint32_t i = 0; i < n; i += 8)
		_mm256_storeu_ps(sums + i,
		                 _mm256_add_ps(_mm256_loadu_ps(sums + i), _mm256_mul_ps(factor, widen(bounds + i))));
}

static void add_required(float *sums, const uint8_t *bounds, float step, uint32_t n)
{
	__m256 factor = _mm256_set1_ps(step), never = _mm256_set1_ps(-INFINITY), zero = _mm256_setzero_ps();
	for (uint32_t i = 0; i < n; i += 8) {
		__m256 bound = widen(bounds + i);
		__m256 sum = _mm256_add_ps(_mm256_loadu_ps(sums + i), _mm256_mul_ps(factor, bound));
		_mm256_storeu_ps(sums + i, _mm256_blendv_ps(sum, never, _mm256_cmp_ps(bound, zero, _CMP_EQ_OQ)));
	}
}

static uint32_t select_sums(const float *sums, float threshold, uint32_t n, uint32_t *indices)
{
	__m256 least = _mm256_set1_ps(threshold), zero = _mm256_setzero_ps();
	uint32_t count = 0;
	for (uint32_t i = 0; i < n; i += 8) {
		__m256 sum = _mm256_loadu_ps(sums + i);
		__m256 keep =
		    _mm256_and_ps(_mm256_cmp_ps(sum, least, _CMP_GE_OQ), _mm256_cmp_ps(sum, zero, _CMP_GT_OQ));
		for (uint32_t mask = (uint32_t)_mm256_movemask_ps(keep); mask; mask &= mask - 1)
			indices[count++] = i + (uint32_t)__builtin_ctz(mask);
	}
	return count;
}

static uint64_t at_least(const float scores[RANGE_DOCUMENTS], float threshold)
{
	__m256 least = _mm256_set1_ps(threshold);
	uint64_t mask = 0;
	for (uint32_t i = 0; i < RANGE_DOCUMENTS; i += 8) {
		__m256 keep = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), least, _CMP_GE_OQ);
		mask |= (uint64_t)(uint32_t)_mm256_movemask_ps(keep) << i;
	}
	return mask;
}

static bool has_byte(const uint8_t *bytes, uint32_t n, uint8_t value)
{
	__m256i wanted = _mm256_set1_epi8((char)value);
	for (uint32_t i = 0; i < n; i += 32) {
		__m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(bytes + i)), wanted);
		uint32_t mask = (uint32_t)_mm256_movemask_epi8(equal);
		if (n - i < 32)
			mask &= (1u << (n - i)) - 1;
		if (mask)
			return true;
	}
	return false;
}

#include "searcher/kernel_plain.h"

#include "searcher/evaluate_impl.h"
#include "searcher/phrase_impl.h"

const struct kernel kernel_avx2 = KERNEL_TABLE;
#else
typedef int kernel_avx2_unused;
#endif
