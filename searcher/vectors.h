/* vectors.h - vectors of numbers as wide as the instruction set's: of wider ones compilers make numbers one by one. A kernel file
 * says before how wide: VECTOR_BYTES; and of how many vectors of words narrow_words makes shorts: NARROWED. */
#ifndef TRAWL_SEARCHER_VECTORS_H
#define TRAWL_SEARCHER_VECTORS_H

#include <stdint.h>

#define MANY_WORDS (VECTOR_BYTES / 8)
#define MANY_SHORTS (VECTOR_BYTES / 2)
#define AT_ONCE (NARROWED * MANY_WORDS)
typedef uint64_t many_words __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef int16_t many_shorts __attribute__((vector_size(VECTOR_BYTES), aligned(2), may_alias));
typedef uint16_t few_shorts __attribute__((vector_size(VECTOR_BYTES / 4), aligned(2), may_alias));

#endif
