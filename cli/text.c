#include "cli/text.h"

#include <stdbool.h>
#include <string.h>
#include <uniwidth.h>

#define REPLACEMENT "\xef\xbf\xbd"

size_t utf8_decode(const char *text, size_t length, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)text;
	size_t need = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc2 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	*character = 0xfffd;
	if (need == 1)
		*character = bytes[0];
	if (need < 2 || need > length || bytes[0] > 0xf4)
		return 1;
	uint32_t value = bytes[0] & (0xffu >> (need + 1));
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < smallest[need] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 1;
	*character = value;
	return need;
}

/* Unicode's Bidi_Control: they can make a line read as what it is not. */
static bool is_bidirectional_control(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

unsigned character_columns(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || is_bidirectional_control(c))
		return 1; /* it becomes a space or U+FFFD */
	int width = uc_width(c, "UTF-8");
	return width < 0 ? 0 : (unsigned)width;
}

size_t text_columns(const char *text, size_t length)
{
	size_t columns = 0;
	uint32_t c;
	for (size_t at = 0; at < length;) {
		at += utf8_decode(text + at, length - at, &c);
		columns += character_columns(c);
	}
	return columns;
}

/* The bytes that at most `columns` columns take from the start, with all that combines with the last character. */
static size_t bytes_in(const char *text, size_t length, size_t columns)
{
	uint32_t c;
	size_t at = 0, used = 0;
	while (at < length) {
		size_t size = utf8_decode(text + at, length - at, &c);
		used += character_columns(c);
		if (used > columns)
			break;
		at += size;
	}
	return at;
}

void shorten_middle(const char *text, size_t length, size_t columns, size_t *head, size_t *tail)
{
	uint32_t c;
	size_t whole = text_columns(text, length);
	*head = *tail = length;
	if (whole <= columns)
		return;
	size_t kept = columns > 1 ? columns - 1 : 0, at_end = kept - kept / 3;
	*head = bytes_in(text, length, kept / 3);
	*tail = *head;
	for (size_t left = text_columns(text + *head, length - *head); *tail < length;) {
		size_t size = utf8_decode(text + *tail, length - *tail, &c);
		if (left <= at_end && character_columns(c) > 0)
			break;
		left -= character_columns(c);
		*tail += size;
	}
}

static void clean_character(FILE *out, const char *bytes, size_t size, uint32_t c, enum clean_mode mode)
{
	bool line_end = c == '\n' || c == 0x2028 || c == 0x2029 || c == 0x85;
	if (c == '\n' || c == '\t' || c == '\r' || line_end) {
		if (mode == CLEAN_LINE || (c == '\r'))
			putc(' ', out);
		else
			putc(c == '\t' ? '\t' : '\n', out);
	} else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd || is_bidirectional_control(c)) {
		fputs(REPLACEMENT, out);
	} else {
		fwrite(bytes, 1, size, out);
	}
}

void clean_write(FILE *out, const char *text, size_t length, enum clean_mode mode)
{
	uint32_t character;
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_decode(text + at, length - at, &character);
		if (mode == CLEAN_TEXT && character == '\r' && at + 1 < length && text[at + 1] == '\n')
			continue;
		clean_character(out, text + at, size, character, mode);
	}
}

void clean_write_cut(FILE *out, const char *text, size_t length, size_t limit)
{
	uint32_t character;
	size_t count = 0;
	for (size_t at = 0, size; at < length; at += size) {
		if (count++ == limit) {
			fputs(ELLIPSIS, out);
			return;
		}
		size = utf8_decode(text + at, length - at, &character);
		clean_character(out, text + at, size, character, CLEAN_LINE);
	}
}

/* Bytes at the start of `text` that stand for themselves in JSON and steer nothing. */
static size_t plain_bytes(const char *text, size_t length)
{
	size_t n = 0;
	while (n < length && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

void json_write_escaped(FILE *out, const char *text, size_t length)
{
	uint32_t c;
	for (size_t at = 0, size; at < length; at += size) {
		size = plain_bytes(text + at, length - at);
		if (size > 0) {
			fwrite(text + at, 1, size, out);
			continue;
		}
		size = utf8_decode(text + at, length - at, &c);
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c == '\r')
			fputs("\\r", out);
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
		         is_bidirectional_control(c))
			fprintf(out, "\\u%04x", (unsigned)c);
		else if (c == 0xfffd)
			fputs(REPLACEMENT, out);
		else
			fwrite(text + at, 1, size, out);
	}
}

void json_write_string(FILE *out, const char *text, size_t length)
{
	putc('"', out);
	json_write_escaped(out, text, length);
	putc('"', out);
}

void json_write_raw(FILE *out, const char *json, size_t length)
{
	uint32_t c;
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_decode(json + at, length - at, &c);
		if (c >= 0x7f)
			json_write_escaped(out, json + at, size);
		else
			putc(c < 0x20 ? ' ' : (int)c, out);
	}
}
