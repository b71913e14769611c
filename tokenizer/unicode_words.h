/* unicode_words.h - words of any UTF-8 by the default word boundaries of UAX #29, in constant memory. */
#ifndef TRAWL_TOKENIZER_UNICODE_WORDS_H
#define TRAWL_TOKENIZER_UNICODE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_WORDS_TABLE 0x10000

/* What `unicode_words` remembers of a character. */
enum {
	CHARACTER_CLASS = 0x0f,        /* one of enum word_class */
	CHARACTER_PICTOGRAPHIC = 0x10, /* Extended_Pictographic */
	CHARACTER_COUNTS = 0x20,       /* a letter or number: what has one is a word */
	CHARACTER_JOINER = 0x40,       /* ZERO WIDTH JOINER */
	CHARACTER_KNOWN = 0x80
};

/* The Word_Break classes, those alike for our purpose taken together. */
enum word_class {
	CLASS_OTHER,   /* joins nothing: also white space, line ends, regional indicators */
	CLASS_IGNORED, /* Extend, Format, ZWJ */
	CLASS_LETTER,
	CLASS_HEBREW,
	CLASS_NUMERIC,
	CLASS_KATAKANA,
	CLASS_CONNECTOR, /* ExtendNumLet */
	CLASS_MID_LETTER,
	CLASS_MID_NUMBER,
	CLASS_MID_BOTH, /* MidNumLet */
	CLASS_SINGLE_QUOTE,
	CLASS_DOUBLE_QUOTE,
	CLASS_COUNT
};

/* Properties of the Basic Multilingual Plane, looked up once each; zero-initialised is empty. */
struct unicode_words {
	uint8_t properties[UNICODE_WORDS_TABLE];
};

uint8_t unicode_words_lookup(struct unicode_words *words, uint32_t character);

/* The next word in text[at, length): true and [*start, *end), or false at the end. Continue at *end. */
bool unicode_words_next(struct unicode_words *words, const uint8_t *text, size_t length, size_t at, size_t *start,
                        size_t *end);

#endif
