/* analyzer.h - one distinct word -> its term: normalise, stop words, stem. */
#ifndef TRAWL_TOKENIZER_ANALYZER_H
#define TRAWL_TOKENIZER_ANALYZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "tokenizer/tokenizer.h"

struct sb_stemmer;

struct stop_word {
	const char *text;
	size_t length;
};

struct analyzer {
	struct sb_stemmer *stemmer; /* NULL: language "none" */
	bool fold_diacritics;
	struct stop_word *stop_words; /* normalised and sorted; NULL when all words count */
	size_t stop_word_count;
	struct arena stop_word_text;
};

struct analyzed {
	uint8_t term[WORD_BYTES_MAX];
	uint8_t length; /* 0: nothing is left of the word, it counts as none */
	bool stop;
};

/* Zero-initialised may be released. */
int analyzer_init(struct analyzer *analyzer, const trawl_analysis *analysis, trawl_error *error);
void analyzer_release(struct analyzer *analyzer);

/* Analyse the valid UTF-8 `surface` of up to SURFACE_BYTES_MAX bytes. 0 or TRAWL_ENOMEM. */
int analyzer_run(struct analyzer *analyzer, const uint8_t *surface, size_t length, struct analyzed *out);

#endif
