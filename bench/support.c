#include "bench/support.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)1 << 30)

int bench_fail(const char *format, ...)
{
	char message[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	for (char *c = message; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	fflush(stdout);
	fprintf(stderr, "trawl: %s\n", message);
	return BENCH_ERROR;
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

static char *text_room(struct bench_text *text, size_t extra)
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
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c <= 0x20 || c == 0x7f)
			text_format(text, "%%%02X", c);
		else
			text_append(text, bytes + i, 1);
	}
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

/* ---- files ----------------------------------------------------------------------------------------------------- */

static int read_all(struct bench_file *file, int descriptor)
{
	struct bench_text text = {0};
	int result = 0;
	for (;;) {
		char *room = text_room(&text, 1 << 16);
		ssize_t got = read(descriptor, room, 1 << 16);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR) {
			result = bench_fail("cannot read %s: %s", file->path, strerror(errno));
			break;
		}
		text.length += got > 0 ? (size_t)got : 0;
		if (text.length > FILE_MAX_BYTES) {
			result = bench_fail("%s is larger than 1 GiB", file->path);
			break;
		}
	}
	file->data = text.data;
	file->length = text.length;
	return result;
}

int file_load(struct bench_file *file, const char *path)
{
	*file = (struct bench_file){.path = path};
	bool standard_input = strcmp(path, "-") == 0;
	int descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return bench_fail("cannot open %s: %s", path, strerror(errno));
	int result = read_all(file, descriptor);
	if (!standard_input)
		close(descriptor);
	if (result)
		file_release(file);
	else if (file->length >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
		file->at = 3;
	return result;
}

bool file_next_line(struct bench_file *file, const char **line, size_t *length)
{
	if (file->at >= file->length)
		return false;
	const char *start = file->data + file->at;
	const char *end = memchr(start, '\n', file->length - file->at);
	size_t taken = end ? (size_t)(end - start) : file->length - file->at;
	file->at += taken + (end ? 1 : 0);
	file->line++;
	if (taken && start[taken - 1] == '\r')
		taken--;
	*line = start;
	*length = taken;
	return true;
}

void file_release(struct bench_file *file)
{
	free(file->data);
	file->data = NULL;
	file->length = file->at = 0;
}

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool next_word(const char **at, const char *end, const char **word, size_t *length)
{
	const char *p = *at;
	while (p < end && is_white(*p))
		p++;
	*word = p;
	while (p < end && !is_white(*p))
		p++;
	*length = (size_t)(p - *word);
	*at = p;
	return *length > 0;
}
