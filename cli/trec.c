#include "cli/trec.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cli/text.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that %XX at `text` stands for; -1: there is no such form. */
static int escaped_byte(const char *text, size_t length)
{
	if (length < 3 || text[0] != '%' || hex_value(text[1]) < 0 || hex_value(text[2]) < 0)
		return -1;
	return hex_value(text[1]) << 4 | hex_value(text[2]);
}

/* What a reader may take for the end of a word: C's and Unicode's white space, and whatever else is unseen and ends lines. */
static bool ends_word(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

static size_t escape(char *out, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < length; i++) {
		*out++ = '%';
		*out++ = digits[(unsigned char)bytes[i] >> 4];
		*out++ = digits[(unsigned char)bytes[i] & 15];
	}
	return 3 * length;
}

/* The next character of an id, of `*size` bytes: what stands for it, up to CHARACTER_SIZE bytes. Returns their number. */
#define CHARACTER_SIZE TREC_WORD_SIZE(4)
static size_t write_character(char *out, const char *id, size_t left, size_t *size)
{
	uint32_t c;
	*size = utf8_decode(id, left, &c);
	bool invalid = *size == 1 && c == 0xfffd;
	if (invalid || ends_word(c) || escaped_byte(id, left) >= 0)
		return escape(out, id, *size);
	memcpy(out, id, *size);
	return *size;
}

size_t trec_word(char *out, const char *id, size_t length)
{
	size_t used = 0;
	for (size_t at = 0, size; at < length; at += size)
		used += write_character(out + used, id + at, length - at, &size);
	return used;
}

void trec_write(FILE *out, const char *id, size_t length)
{
	char character[CHARACTER_SIZE];
	for (size_t at = 0, size; at < length; at += size)
		fwrite(character, 1, write_character(character, id + at, length - at, &size), out);
}

size_t trec_id(char *out, const char *word, size_t length)
{
	size_t used = 0;
	for (size_t at = 0; at < length;) {
		int byte = escaped_byte(word + at, length - at);
		out[used++] = byte < 0 ? word[at] : (char)byte;
		at += byte < 0 ? 1 : 3;
	}
	return used;
}
