#include "cli/ids.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "cli/text.h"
#include "trawl.h"

#define ID_MAX ((size_t)4096) /* bytes, of what an index holds */
#define PREFIX "bytes:"
#define PREFIX_LENGTH (sizeof PREFIX - 1)

static bool has_prefix(const char *id, size_t length)
{
	return length >= PREFIX_LENGTH && memcmp(id, PREFIX, PREFIX_LENGTH) == 0;
}

/* The size of the text character at the start; 0: it is a byte that is not text. */
static size_t text_size(const char *id, size_t length)
{
	uint32_t character;
	size_t size = utf8_decode(id, length, &character);
	return size == 1 && character == 0xfffd ? 0 : size;
}

bool id_is_plain(const char *id, size_t length, bool nul)
{
	if (has_prefix(id, length) || (!nul && memchr(id, 0, length)))
		return false;
	for (size_t at = 0, size; at < length; at += size)
		if ((size = text_size(id + at, length - at)) == 0)
			return false;
	return true;
}

/* The escaped form, of up to ID_PRINTED_MAX bytes for an id that an index can hold. `controls`: of these, too. */
static size_t escape(const char *id, size_t length, bool controls, char out[ID_PRINTED_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = PREFIX_LENGTH;
	memcpy(out, PREFIX, PREFIX_LENGTH);
	for (size_t at = 0; at < length && used + 4 <= ID_PRINTED_MAX;) {
		size_t size = text_size(id + at, length - at);
		unsigned char byte = (unsigned char)id[at];
		if (size == 0 || byte == 0 || byte == '%' || (controls && (byte < ' ' || byte == 0x7f))) {
			out[used++] = '%';
			out[used++] = digits[byte >> 4];
			out[used++] = digits[byte & 15];
			at++;
		} else {
			memcpy(out + used, id + at, size);
			used += size;
			at += size;
		}
	}
	return used;
}

static void write_json(FILE *out, const char *id, size_t length, bool nul, size_t most)
{
	char escaped[ID_PRINTED_MAX];
	bool plain = id_is_plain(id, length, nul);
	size_t used = plain ? 0 : escape(id, length, false, escaped);
	if (used > most) {
		for (used = most; ((unsigned char)escaped[used] & 0xc0) == 0x80;)
			used--;
	}
	json_write_string(out, plain ? id : escaped, plain ? length : used);
}

void id_write_json(FILE *out, const char *id, size_t length)
{
	write_json(out, id, length, false, ID_PRINTED_MAX);
}

void id_write_export(FILE *out, const char *id, size_t length)
{
	write_json(out, id, length, true, ID_MAX);
}

size_t id_printed(const char **id, size_t length, char escaped[ID_PRINTED_MAX])
{
	if (id_is_plain(*id, length, false))
		return length;
	size_t used = escape(*id, length, true, escaped);
	*id = escaped;
	return used;
}

void id_write_clean(FILE *out, const char *id, size_t length)
{
	char escaped[ID_PRINTED_MAX];
	size_t used = id_printed(&id, length, escaped);
	clean_write(out, id, used, CLEAN_LINE);
}

void id_write_line(FILE *out, const char *id, size_t length)
{
	char escaped[ID_PRINTED_MAX];
	bool mark = length >= 3 && memcmp(id, "\xef\xbb\xbf", 3) == 0;
	if (!mark && !has_prefix(id, length) && !memchr(id, '\n', length) && (!length || id[length - 1] != '\r')) {
		fwrite(id, 1, length, out);
		return;
	}
	size_t used = escape(id, length, true, escaped);
	if (mark) { /* it must not stand at the beginning of a file */
		fputs(PREFIX "%EF%BB%BF", out);
		fwrite(escaped + PREFIX_LENGTH + 3, 1, used - PREFIX_LENGTH - 3, out);
	} else {
		fwrite(escaped, 1, used, out);
	}
}

static int digit_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	                              : -1;
}

/* The bytes that an escaped id stands for; false: it is none. */
static bool unescape(const char *given, size_t length, char out[ID_PRINTED_MAX], size_t *used)
{
	*used = 0;
	if (!has_prefix(given, length) || length > ID_PRINTED_MAX)
		return false;
	for (size_t at = PREFIX_LENGTH; at < length; at++) {
		if (given[at] != '%') {
			out[(*used)++] = given[at];
			continue;
		}
		int high = at + 2 < length ? digit_value(given[at + 1]) : -1;
		int low = at + 2 < length ? digit_value(given[at + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		out[(*used)++] = (char)(high << 4 | low);
		at += 2;
	}
	return true;
}

/* The normal form of a path, if the id is one and that is another id. */
static bool respell(const char *given, size_t length, char normal[PATH_MAX + 2])
{
	char path[PATH_MAX];
	if (length == 0 || length >= sizeof path || memchr(given, 0, length))
		return false;
	memcpy(path, given, length);
	path[length] = 0;
	trawl_normal_path(path, normal);
	return strcmp(path, normal) != 0;
}

int id_try(const char *given, size_t length, int absent, take_id *take, void *context)
{
	char bytes[ID_PRINTED_MAX], normal[PATH_MAX + 2];
	size_t used;
	int result = absent;
	if (unescape(given, length, bytes, &used))
		result = take(context, bytes, used);
	if (result == absent)
		result = take(context, given, length);
	if (result == absent && respell(given, length, normal))
		result = take(context, normal, strlen(normal));
	return result;
}
