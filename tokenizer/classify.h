/* classify.h - the classes of ASCII bytes that matter for word boundaries, 64 bytes at a time as bit masks. */
#ifndef TRAWL_TOKENIZER_CLASSIFY_H
#define TRAWL_TOKENIZER_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

#define CLASSIFY_BLOCK 64

/* Bit i of each mask says whether byte i of the block is of that class. The names are those of UAX #29. */
struct byte_classes {
	uint64_t letter;     /* A-Z a-z: ALetter */
	uint64_t digit;      /* 0-9: Numeric */
	uint64_t connector;  /* _ : ExtendNumLet */
	uint64_t mid_letter; /* : : MidLetter */
	uint64_t mid_number; /* , ; : MidNum */
	uint64_t mid_both;   /* . ' : MidNumLet, Single_Quote */
	uint64_t quote;      /* " : Double_Quote */
	uint64_t high;       /* 0x80 and above: part of a longer character, or invalid */
};

/* Classify `blocks` blocks of 64 bytes each, and copy them to `lower` with A-Z as a-z. */
typedef void classify_function(const uint8_t *text, size_t blocks, struct byte_classes *classes, uint8_t *lower);

classify_function classify_portable, classify_sse2, classify_avx2, classify_avx512;

/* The fastest one that cpu_level() allows. */
classify_function *classify_best(void);

#endif
