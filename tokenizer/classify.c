#include "tokenizer/classify.h"

#include "base/cpu.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline uint64_t within(uint8_t byte, uint8_t first, uint8_t last)
{
	return (uint8_t)(byte - first) <= last - first;
}

void classify_portable(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	for (size_t block = 0; block < blocks; block++) {
		struct byte_classes c = {0};
		for (int i = 0; i < CLASSIFY_BLOCK; i++) {
			uint8_t byte = *text++;
			c.letter |= within(byte | 0x20, 'a', 'z') << i;
			c.digit |= within(byte, '0', '9') << i;
			c.connector |= (uint64_t)(byte == '_') << i;
			c.mid_letter |= (uint64_t)(byte == ':') << i;
			c.mid_number |= (uint64_t)(byte == ',' || byte == ';') << i;
			c.mid_both |= (uint64_t)(byte == '.' || byte == '\'') << i;
			c.quote |= (uint64_t)(byte == '"') << i;
			c.high |= (uint64_t)(byte >> 7) << i;
			*lower++ = within(byte, 'A', 'Z') ? byte | 0x20 : byte;
		}
		classes[block] = c;
	}
}

#if defined(__SSE2__)

static inline uint64_t bits(__m128i selected)
{
	return (uint32_t)_mm_movemask_epi8(selected);
}

static inline __m128i equal(__m128i v, char byte)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8(byte));
}

/* Signed comparison: bytes above 0x7f are negative and so outside. */
static inline __m128i between(__m128i v, char first, char last)
{
	return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(first - 1))),
	                     _mm_cmplt_epi8(v, _mm_set1_epi8((char)(last + 1))));
}

void classify_sse2(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	const __m128i space = _mm_set1_epi8(0x20);
	for (size_t block = 0; block < blocks; block++) {
		struct byte_classes c = {0};
		for (int i = 0; i < CLASSIFY_BLOCK; i += 16, text += 16, lower += 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)text);
			__m128i letter = between(_mm_or_si128(v, space), 'a', 'z');
			_mm_storeu_si128((__m128i *)lower, _mm_or_si128(v, _mm_and_si128(letter, space)));
			c.letter |= bits(letter) << i;
			c.digit |= bits(between(v, '0', '9')) << i;
			c.connector |= bits(equal(v, '_')) << i;
			c.mid_letter |= bits(equal(v, ':')) << i;
			c.mid_number |= bits(_mm_or_si128(equal(v, ','), equal(v, ';'))) << i;
			c.mid_both |= bits(_mm_or_si128(equal(v, '.'), equal(v, '\''))) << i;
			c.quote |= bits(equal(v, '"')) << i;
			c.high |= bits(v) << i;
		}
		classes[block] = c;
	}
}

#else

void classify_sse2(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	classify_portable(text, blocks, classes, lower);
}

#endif

classify_function *classify_best(void)
{
#if defined(__x86_64__)
	switch (cpu_level()) {
	case CPU_AVX512: return classify_avx512;
	case CPU_AVX2: return classify_avx2;
	case CPU_SCALAR: return classify_sse2;
	}
#endif
	return classify_portable;
}
