/* utf8.h - strict UTF-8 decoding; an invalid byte is one character, U+FFFD. */
#ifndef TRAWL_TOKENIZER_UTF8_H
#define TRAWL_TOKENIZER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_continues(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The character at `p`, of the `left` > 0 bytes there, and its length. */
static inline size_t utf8_decode(const uint8_t *p, size_t left, uint32_t *character)
{
	uint8_t lead = p[0];
	if (lead < 0x80) {
		*character = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf && left >= 2 && utf8_continues(p[1])) {
		*character = (uint32_t)(lead & 0x1f) << 6 | (p[1] & 0x3f);
		return 2;
	}
	if ((lead & 0xf0) == 0xe0 && left >= 3 && utf8_continues(p[1]) && utf8_continues(p[2])) {
		uint32_t c = (uint32_t)(lead & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		if (c >= 0x800 && (c < 0xd800 || c > 0xdfff)) {
			*character = c;
			return 3;
		}
	}
	if ((lead & 0xf8) == 0xf0 && left >= 4 && utf8_continues(p[1]) && utf8_continues(p[2]) &&
	    utf8_continues(p[3])) {
		uint32_t c = (uint32_t)(lead & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
		             (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
		if (c >= 0x10000 && c <= 0x10ffff) {
			*character = c;
			return 4;
		}
	}
	*character = 0xfffd;
	return 1;
}

/* The most of valid UTF-8 `text` that fits `limit` bytes without cutting a character. */
static inline size_t utf8_cut(const uint8_t *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	while (limit > 0 && utf8_continues(text[limit]))
		limit--;
	return limit;
}

#endif
