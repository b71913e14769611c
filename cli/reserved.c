#include "cli/reserved.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define START "{\"" RESERVED_NAME "\":{\"file\":"

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static bool stands_for_itself(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '%' && c != '"' && c != '\\';
}

/* The escaped form, of up to 3 * length bytes. */
static size_t bytes_escape(char *out, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789ABCDEF";
	char *at = out;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (stands_for_itself(c)) {
			*at++ = (char)c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	return (size_t)(at - out);
}

void bytes_write(FILE *out, const char *bytes, size_t length)
{
	char escaped[3 * 256];
	for (size_t at = 0, size; at < length; at += size) {
		size = length - at < 256 ? length - at : 256;
		fwrite(escaped, 1, bytes_escape(escaped, bytes + at, size), out);
	}
}

bool is_text(const char *bytes, size_t length)
{
	uint32_t character;
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_decode(bytes + at, length - at, &character);
		if (size == 1 && character == 0xfffd)
			return false;
	}
	return true;
}

/* ---- origins ----------------------------------------------------------------------------------------------------- */

/* The length of the reserved member with the brace before it; 0: the fields have none. */
static size_t read_origin(const char *fields, size_t length, struct origin *origin)
{
	const char *at = fields + strlen(START), *end = fields + length;
	*origin = (struct origin){0};
	if (length <= strlen(START) || memcmp(fields, START, strlen(START)) != 0)
		return 0;
	if (end - at > 5 && memcmp(at, "true}", 5) == 0) {
		*origin = (struct origin){.known = true, .is_id = true};
		return (size_t)(at - fields) + 5;
	}
	const char *quote = *at == '"' ? memchr(at + 1, '"', (size_t)(end - at) - 1) : NULL;
	if (!quote || end - quote < 3 || quote[1] != '}')
		return 0;
	*origin = (struct origin){.known = true, .file = at + 1, .file_length = (size_t)(quote - at) - 1};
	return (size_t)(quote - fields) + 2;
}

void origin_read(const trawl_document *document, struct origin *origin)
{
	read_origin(document->fields, document->fields_length, origin);
}

bool origin_take(trawl_document *document, struct origin *origin, char **memory)
{
	*memory = NULL;
	size_t taken = read_origin(document->fields, document->fields_length, origin);
	if (!origin->known)
		return true;
	const char *rest = document->fields + taken;
	size_t left = document->fields_length - taken;
	document->fields = "";
	document->fields_length = 0;
	if (left < 2 || rest[0] != ',') /* it was the only member */
		return true;
	if (!(*memory = malloc(left)))
		return false;
	memcpy(*memory, rest, left);
	**memory = '{';
	document->fields = *memory;
	document->fields_length = left;
	return true;
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool origin_path(const struct origin *origin, const trawl_document *document, char *path, size_t size)
{
	const char *from = origin->is_id ? document->id : origin->file;
	size_t length = origin->is_id ? document->id_length : origin->file_length, used = 0;
	for (size_t at = 0; at < length && used < size; at++) {
		bool escaped = !origin->is_id && from[at] == '%' && at + 2 < length && digit_value(from[at + 1]) >= 0 &&
		               digit_value(from[at + 2]) >= 0;
		path[used++] = escaped ? (char)(digit_value(from[at + 1]) << 4 | digit_value(from[at + 2])) : from[at];
		at += escaped ? 2 : 0;
	}
	if (used >= size || memchr(path, 0, used))
		return false;
	path[used] = 0;
	return used > 0;
}

bool origin_put(trawl_document *document, const char *file, char **memory, size_t *capacity)
{
	struct origin known;
	size_t length = strlen(file);
	size_t had = document->fields_length;
	if (read_origin(document->fields, had, &known) || (had > 0 && (had < 2 || document->fields[0] != '{')))
		return true; /* it has one, or is not made of lines */
	size_t needed = strlen(START) + 3 * length + 8 + document->fields_length;
	if (needed > *capacity) {
		char *larger = realloc(*memory, 2 * needed);
		if (!larger)
			return false;
		*memory = larger;
		*capacity = 2 * needed;
	}
	char *at = stpcpy(*memory, START);
	if (length == document->id_length && memcmp(file, document->id, length) == 0) {
		at = stpcpy(at, "true");
	} else {
		*at++ = '"';
		at += bytes_escape(at, file, length);
		*at++ = '"';
	}
	*at++ = '}';
	if (document->fields_length > 2) {
		*at++ = ',';
		memcpy(at, document->fields + 1, document->fields_length - 1);
		at += document->fields_length - 1;
	} else {
		*at++ = '}';
	}
	document->fields = *memory;
	document->fields_length = (size_t)(at - *memory);
	return true;
}
