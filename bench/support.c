#include "bench/support.h"

#include "cli/trec.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 1024

static void print_line(char *message)
{
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	fflush(stdout);
	fprintf(stderr, "trawl: %s\n", message);
}

static void tell(const char *format, va_list arguments)
{
	char message[MESSAGE_SIZE];
	vsnprintf(message, sizeof message, format, arguments);
	print_line(message);
}

int bench_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(format, arguments);
	va_end(arguments);
	return BENCH_ERROR;
}

void bench_tell(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(format, arguments);
	va_end(arguments);
}

void *bench_resize(void *pointer, size_t count, size_t size)
{
	void *grown = count > SIZE_MAX / size ? NULL : realloc(pointer, count && size ? count * size : 1);
	if (!grown)
		exit(bench_fail("out of memory"));
	return grown;
}

void *bench_new(size_t count, size_t size)
{
	return bench_resize(NULL, count, size);
}

bool bench_parse_size(const char *text, size_t low, size_t high, size_t *value)
{
	if (*text < '0' || *text > '9')
		return false;
	char *end;
	errno = 0;
	unsigned long long parsed = strtoull(text, &end, 10);
	if (errno || *end || parsed < low || parsed > high)
		return false;
	*value = (size_t)parsed;
	return true;
}

bool bench_parse_float(const char *text, double low, double high, float *value)
{
	char *end;
	double parsed = strtod(text, &end);
	if (end == text || *end || !isfinite(parsed) || parsed < low || parsed > high)
		return false;
	*value = (float)parsed;
	return true;
}

int bench_flush(FILE *stream, const char *name)
{
	errno = 0;
	if (fflush(stream) == 0 && !ferror(stream))
		return 0;
	return bench_fail("cannot write %s: %s", name, errno ? strerror(errno) : "output was lost");
}

/* ---- growable text --------------------------------------------------------------------------------------------- */

char *text_room(struct bench_text *text, size_t extra)
{
	if (extra > text->capacity - text->length) {
		size_t wanted = text->length + extra;
		text->capacity = wanted < 256 ? 256 : wanted + wanted / 2;
		text->data = bench_resize(text->data, text->capacity, 1);
	}
	return text->data + text->length;
}

void text_append(struct bench_text *text, const char *bytes, size_t length)
{
	if (length)
		memcpy(text_room(text, length), bytes, length);
	text->length += length;
}

void text_format(struct bench_text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	char *room = text_room(text, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(room, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

/* The length of the UTF-8 sequence at `bytes`, 0 when it is not one (RFC 3629: no surrogates, no overlong forms). */
static size_t utf8_length(const unsigned char *bytes, size_t available)
{
	if (bytes[0] < 0x80)
		return 1;
	size_t length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || available < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] >= 0xa0) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] >= 0x90))
		return 0;
	return length;
}

void text_append_json(struct bench_text *text, const char *bytes, size_t length)
{
	text_append(text, "\"", 1);
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)bytes[i];
		size_t sequence = utf8_length((const unsigned char *)bytes + i, length - i);
		if (!sequence)
			text_append(text, "\xef\xbf\xbd", 3);
		else if (c == '"' || c == '\\')
			text_format(text, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			text_format(text, "\\u%04x", c);
		else
			text_append(text, bytes + i, sequence);
		i += sequence ? sequence : 1;
	}
	text_append(text, "\"", 1);
}

void text_append_word(struct bench_text *text, const char *bytes, size_t length)
{
	text->length += trec_word(text_room(text, TREC_WORD_SIZE(length)), bytes, length);
}

void text_append_xml(struct bench_text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned char c = (unsigned char)bytes[i];
		size_t sequence = utf8_length((const unsigned char *)bytes + i, length - i);
		bool noncharacter = sequence == 3 && c == 0xef && (unsigned char)bytes[i + 1] == 0xbf &&
		                    (unsigned char)bytes[i + 2] >= 0xbe;
		if (!sequence || c < 0x20 || c == 0x7f || noncharacter)
			text_append(text, "?", 1);
		else if (c == '<' || c == '>' || c == '&' || c == '"')
			text_format(text, "&#%d;", c);
		else
			text_append(text, bytes + i, sequence);
		i += sequence ? sequence : 1;
	}
}

void text_release(struct bench_text *text)
{
	free(text->data);
	*text = (struct bench_text){0};
}

int text_print(struct bench_text *text)
{
	fwrite(text->data, 1, text->length, stdout);
	text_release(text);
	return bench_flush(stdout, "standard output");
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int word_compare(struct word left, struct word right)
{
	size_t shorter = left.length < right.length ? left.length : right.length;
	int order = shorter ? memcmp(left.bytes, right.bytes, shorter) : 0;
	return order ? order : (left.length > right.length) - (left.length < right.length);
}

struct word word_trim(struct word word)
{
	for (; word.length && is_white(*word.bytes); word.bytes++)
		word.length--;
	while (word.length && is_white(word.bytes[word.length - 1]))
		word.length--;
	return word;
}

bool next_word(const char **at, const char *end, struct word *word)
{
	const char *p = *at;
	while (p < end && is_white(*p))
		p++;
	word->bytes = p;
	while (p < end && !is_white(*p))
		p++;
	word->length = (size_t)(p - word->bytes);
	*at = p;
	return word->length > 0;
}
