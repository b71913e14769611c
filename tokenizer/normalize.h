/* normalize.h - a word as written -> its normal form: what the stop words and the stemmer see. */
#ifndef TRAWL_TOKENIZER_NORMALIZE_H
#define TRAWL_TOKENIZER_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/tokenizer.h"

/* Of a word as written, what is looked at: the normal form is cut to WORD_BYTES_MAX, and no letter takes more than four
 * times the bytes of its normal form, so more matters only to words stuffed with marks or ignorable characters. */
#define SURFACE_BYTES_MAX 1024

/* Normalise the valid UTF-8 `surface` of up to SURFACE_BYTES_MAX bytes: apostrophes, toNFKC_Casefold, diacritics if
 * asked, cut. Returns the length written to `out`, 0 when nothing is left of the word; negative: TRAWL_ENOMEM. */
int normalize_word(const uint8_t *surface, size_t length, bool fold_diacritics, uint8_t out[WORD_BYTES_MAX]);

#endif
