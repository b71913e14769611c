#include "tokenizer/classify.h"

#if defined(__AVX2__)

#include <immintrin.h>

static inline uint64_t bits(__m256i selected)
{
	return (uint32_t)_mm256_movemask_epi8(selected);
}

static inline __m256i equal(__m256i v, char byte)
{
	return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte));
}

/* Signed comparison: bytes above 0x7f are negative and so outside. */
static inline __m256i between(__m256i v, char first, char last)
{
	return _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)(first - 1))),
	                        _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(last + 1)), v));
}

void classify_avx2(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	const __m256i space = _mm256_set1_epi8(0x20);
	for (size_t block = 0; block < blocks; block++) {
		struct byte_classes c = {0};
		for (int i = 0; i < CLASSIFY_BLOCK; i += 32, text += 32, lower += 32) {
			__m256i v = _mm256_loadu_si256((const __m256i *)text);
			__m256i letter = between(_mm256_or_si256(v, space), 'a', 'z');
			_mm256_storeu_si256((__m256i *)lower, _mm256_or_si256(v, _mm256_and_si256(letter, space)));
			c.letter |= bits(letter) << i;
			c.digit |= bits(between(v, '0', '9')) << i;
			c.connector |= bits(equal(v, '_')) << i;
			c.mid_letter |= bits(equal(v, ':')) << i;
			c.mid_number |= bits(_mm256_or_si256(equal(v, ','), equal(v, ';'))) << i;
			c.mid_both |= bits(_mm256_or_si256(equal(v, '.'), equal(v, '\''))) << i;
			c.quote |= bits(equal(v, '"')) << i;
			c.high |= bits(v) << i;
		}
		classes[block] = c;
	}
}

#else

void classify_avx2(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	classify_portable(text, blocks, classes, lower);
}

#endif
