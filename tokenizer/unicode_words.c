/*
 * The rules of UAX #29 section 4.1 as a state machine over the class of the last base character. Only words matter
 * here, segments with a letter or number, so the rules that merely keep together what is none (line ends WB3, white
 * space WB3d, flags WB15 and WB16) are left out; what WB4 hangs on such characters is in no word either. Rule WB3c may
 * still glue a word behind characters that are none: the word then starts at the first that may start one, so that it
 * does not depend on what stands before.
 */
#include "tokenizer/unicode_words.h"

#include <unictype.h>
#include <uniwbrk.h>

#include "tokenizer/utf8.h"

#define BIT(class) (1u << (class))
#define LETTERS (BIT(CLASS_LETTER) | BIT(CLASS_HEBREW))

/* WB5, WB8 to WB10, WB13 to WB13b: the classes that join on directly. */
static const uint16_t joins[CLASS_COUNT] = {
    [CLASS_LETTER] = LETTERS | BIT(CLASS_NUMERIC) | BIT(CLASS_CONNECTOR),
    [CLASS_HEBREW] = LETTERS | BIT(CLASS_NUMERIC) | BIT(CLASS_CONNECTOR),
    [CLASS_NUMERIC] = LETTERS | BIT(CLASS_NUMERIC) | BIT(CLASS_CONNECTOR),
    [CLASS_KATAKANA] = BIT(CLASS_KATAKANA) | BIT(CLASS_CONNECTOR),
    [CLASS_CONNECTOR] = LETTERS | BIT(CLASS_NUMERIC) | BIT(CLASS_KATAKANA) | BIT(CLASS_CONNECTOR),
};

/* WB6, WB7, WB7b, WB7c, WB11, WB12: the classes that join on across the one in the second index. */
static const uint16_t bridges[CLASS_COUNT][CLASS_COUNT] = {
    [CLASS_LETTER] = {[CLASS_MID_LETTER] = LETTERS, [CLASS_MID_BOTH] = LETTERS, [CLASS_SINGLE_QUOTE] = LETTERS},
    [CLASS_HEBREW] = {[CLASS_MID_LETTER] = LETTERS,
                      [CLASS_MID_BOTH] = LETTERS,
                      [CLASS_SINGLE_QUOTE] = LETTERS,
                      [CLASS_DOUBLE_QUOTE] = BIT(CLASS_HEBREW)},
    [CLASS_NUMERIC] = {[CLASS_MID_NUMBER] = BIT(CLASS_NUMERIC),
                       [CLASS_MID_BOTH] = BIT(CLASS_NUMERIC),
                       [CLASS_SINGLE_QUOTE] = BIT(CLASS_NUMERIC)},
};

static enum word_class class_of(uint32_t character)
{
	switch (uc_wordbreak_property(character)) {
	case WBP_EXTEND:
	case WBP_FORMAT:
	case WBP_ZWJ: return CLASS_IGNORED;
	case WBP_ALETTER: return CLASS_LETTER;
	case WBP_HL: return CLASS_HEBREW;
	case WBP_NUMERIC: return CLASS_NUMERIC;
	case WBP_KATAKANA: return CLASS_KATAKANA;
	case WBP_EXTENDNUMLET: return CLASS_CONNECTOR;
	case WBP_MIDLETTER: return CLASS_MID_LETTER;
	case WBP_MIDNUM: return CLASS_MID_NUMBER;
	case WBP_MIDNUMLET: return CLASS_MID_BOTH;
	case WBP_SQ: return CLASS_SINGLE_QUOTE;
	case WBP_DQ: return CLASS_DOUBLE_QUOTE;
	default: return CLASS_OTHER;
	}
}

static uint8_t properties_of(uint32_t character)
{
	enum word_class class = class_of(character);
	uint8_t properties = CHARACTER_KNOWN | (uint8_t) class;
	if (class != CLASS_IGNORED &&
	    uc_is_general_category_withtable(character, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N))
		properties |= CHARACTER_COUNTS;
	if (uc_is_property_extended_pictographic(character))
		properties |= CHARACTER_PICTOGRAPHIC;
	if (character == 0x200d)
		properties |= CHARACTER_JOINER;
	return properties;
}

uint8_t unicode_words_lookup(struct unicode_words *words, uint32_t character)
{
	if (character >= UNICODE_WORDS_TABLE)
		return properties_of(character);
	if (!words->properties[character])
		words->properties[character] = properties_of(character);
	return words->properties[character];
}

static inline uint8_t next_character(struct unicode_words *words, const uint8_t *text, size_t length, size_t *at)
{
	uint32_t character;
	*at += utf8_decode(text + *at, length - *at, &character);
	uint8_t properties = character < UNICODE_WORDS_TABLE ? words->properties[character] : 0;
	return properties ? properties : unicode_words_lookup(words, character);
}

/* Whether the first base character from `at` on is of one of `classes`; *at moves past it. */
static bool follows(struct unicode_words *words, const uint8_t *text, size_t length, size_t *at, unsigned classes,
                    uint8_t *properties)
{
	while (*at < length) {
		*properties = next_character(words, text, length, at);
		enum word_class class = *properties & CHARACTER_CLASS;
		if (class != CLASS_IGNORED)
			return (classes & BIT(class)) != 0;
	}
	return false;
}

static inline bool starts_word(uint8_t properties)
{
	enum word_class class = properties & CHARACTER_CLASS;
	return (properties & CHARACTER_COUNTS) || (class >= CLASS_LETTER && class <= CLASS_CONNECTOR);
}

bool unicode_words_next(struct unicode_words *words, const uint8_t *text, size_t length, size_t at, size_t *start,
                        size_t *end)
{
	while (at < length) {
		*start = at;
		uint8_t last = next_character(words, text, length, &at);
		enum word_class base = last & CHARACTER_CLASS;
		bool counts = last & CHARACTER_COUNTS;
		bool started = starts_word(last);
		while (at < length) {
			size_t here = at, after = at;
			uint8_t next = next_character(words, text, length, &after);
			enum word_class class = next & CHARACTER_CLASS;
			if (class == CLASS_IGNORED) { /* WB4 */
				at = after;
				last = next;
				continue;
			}
			bool glued = (last & CHARACTER_JOINER) && (next & CHARACTER_PICTOGRAPHIC); /* WB3c */
			if (!glued && !(joins[base] & BIT(class))) {
				size_t beyond = after;
				unsigned bridged = bridges[base][class];
				if (bridged && follows(words, text, length, &beyond, bridged, &next)) {
					after = beyond;
					class = next & CHARACTER_CLASS;
				} else if (base != CLASS_HEBREW || class != CLASS_SINGLE_QUOTE) { /* WB7a */
					break;
				}
			}
			at = after;
			last = next;
			base = class;
			counts = counts || (next & CHARACTER_COUNTS);
			if (!started && starts_word(next)) {
				started = true;
				*start = here;
			}
		}
		if (counts) {
			*end = at;
			return true;
		}
	}
	return false;
}
