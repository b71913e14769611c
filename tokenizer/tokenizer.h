/*
 * tokenizer.h - text -> terms: the one function that yields tokens for the indexer, the searcher and the snippets.
 *
 * The chain: UTF-8 (each invalid byte is a character of its own that is in no word) -> words by the default word
 * boundaries of UAX #29, those with at least one letter, digit, ideograph, kana or hangul syllable -> right single
 * quotation marks U+2019 and their like as apostrophes -> NFKC and full case folding (toNFKC_Casefold) -> diacritics
 * folded, if asked -> cut to WORD_BYTES_MAX bytes at a character -> stop words dropped, if asked (positions keep the
 * gap) -> Snowball stemmer.
 */
#ifndef TRAWL_TOKENIZER_H
#define TRAWL_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trawl.h"

#define WORD_BYTES_MAX 255 /* of a word before the stemmer and of a term after it */
#define WORD_TAG_NONE UINT32_MAX

/* A distinct word met so far: the stemmer ran once for it. Owned by the tokenizer; lives until it forgets (see below). */
struct word {
	const char *term; /* the analysed form; not NUL-terminated */
	uint8_t term_length;
	bool stop;    /* a stop word: never yielded */
	uint32_t tag; /* the caller's to use (the indexer keeps its term number here); WORD_TAG_NONE at first */
};

struct token {
	struct word *word;
	uint64_t start;    /* byte offset of the word in the text */
	uint32_t length;   /* bytes of the word in the text */
	uint32_t position; /* 0, 1, 2, ... over the words of the text, stop words included */
};

struct tokenizer;

/* `analysis` is copied. TRAWL_EINVAL for a language that libstemmer lacks. One thread at a time. */
int tokenizer_new(struct tokenizer **out, const trawl_analysis *analysis, trawl_error *error);
void tokenizer_free(struct tokenizer *tokenizer);

/* Start on a text; positions begin at 0. The bytes are borrowed until the next start. May make the tokenizer forget
 * all its words (when they take more than its cache limit, 64 MiB): every `struct word` from before is then dead. */
void tokenizer_start(struct tokenizer *tokenizer, const char *text, size_t length);

/* Continue with a further text of the same document: positions run on. Never forgets. */
void tokenizer_continue(struct tokenizer *tokenizer, const char *text, size_t length);

/* Up to `capacity` tokens of the text, in order; 0 at its end; negative: TRAWL_ENOMEM. */
int tokenizer_next(struct tokenizer *tokenizer, struct token *tokens, int capacity);

/* Bytes the tokenizer holds. */
size_t tokenizer_memory(const struct tokenizer *tokenizer);

/* A smaller cache limit, in bytes. */
void tokenizer_limit_cache(struct tokenizer *tokenizer, size_t bytes);

/* Forget all words: every `struct word` from before is dead. */
void tokenizer_forget(struct tokenizer *tokenizer);

/* Test hook: bypass the ASCII fast path, so that a test can compare both. */
void tokenizer_force_unicode(struct tokenizer *tokenizer, bool force);

#endif
