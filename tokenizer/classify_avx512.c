#include "tokenizer/classify.h"

#if defined(__AVX512VBMI__) && defined(__AVX512BW__)

#include <immintrin.h>

enum { LETTER = 1, DIGIT = 2, CONNECTOR = 4, MID_LETTER = 8, MID_NUMBER = 16, MID_BOTH = 32, QUOTE = 64 };

#define TEN(value) value, value, value, value, value, value, value, value, value, value
#define LETTERS TEN(LETTER), TEN(LETTER), LETTER, LETTER, LETTER, LETTER, LETTER, LETTER

static const uint8_t class_of[128] = {
    ['"'] = QUOTE,      ['\''] = MID_BOTH,  [','] = MID_NUMBER, ['.'] = MID_BOTH,  ['0'] = TEN(DIGIT),
    [':'] = MID_LETTER, [';'] = MID_NUMBER, ['A'] = LETTERS,    ['_'] = CONNECTOR, ['a'] = LETTERS,
};

void classify_avx512(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	const __m512i table_low = _mm512_loadu_si512(class_of);
	const __m512i table_high = _mm512_loadu_si512(class_of + 64);
	const __m512i space = _mm512_set1_epi8(0x20);
	for (size_t block = 0; block < blocks; block++) {
		__m512i v = _mm512_loadu_si512(text + block * CLASSIFY_BLOCK);
		__mmask64 high = _mm512_movepi8_mask(v);
		__m512i class = _mm512_maskz_permutex2var_epi8(~high, table_low, v, table_high);
		__mmask64 letter = _mm512_test_epi8_mask(class, _mm512_set1_epi8(LETTER));
		__m512i lowered = _mm512_or_si512(v, _mm512_maskz_mov_epi8(letter, space));
		_mm512_storeu_si512(lower + block * CLASSIFY_BLOCK, lowered);
		classes[block] = (struct byte_classes){
		    .letter = letter,
		    .digit = _mm512_test_epi8_mask(class, _mm512_set1_epi8(DIGIT)),
		    .connector = _mm512_test_epi8_mask(class, _mm512_set1_epi8(CONNECTOR)),
		    .mid_letter = _mm512_test_epi8_mask(class, _mm512_set1_epi8(MID_LETTER)),
		    .mid_number = _mm512_test_epi8_mask(class, _mm512_set1_epi8(MID_NUMBER)),
		    .mid_both = _mm512_test_epi8_mask(class, _mm512_set1_epi8(MID_BOTH)),
		    .quote = _mm512_test_epi8_mask(class, _mm512_set1_epi8(QUOTE)),
		    .high = high,
		};
	}
}

#else

void classify_avx512(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower)
{
	classify_portable(text, blocks, classes, lower);
}

#endif
