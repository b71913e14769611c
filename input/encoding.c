#include "input/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistr.h>

#include "base/error.h"

#define ENCODING_NAME_MAX 64

struct converter {
	iconv_t iconv;
	char name[ENCODING_NAME_MAX];
	size_t unit; /* bytes to pass over where there is no character */
	uint64_t replaced;
	struct buffer input;
	size_t start; /* what is before it in `input` was converted */
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

#define REPLACEMENT_LENGTH (sizeof replacement - 1)

int converter_new(struct converter **out, const char *encoding, trawl_error *error)
{
	*out = NULL;
	iconv_t iconv = *encoding && strlen(encoding) < ENCODING_NAME_MAX ? iconv_open("UTF-8", encoding) : (iconv_t)-1;
	if (iconv == (iconv_t)-1)
		return error_set(error, TRAWL_EINVAL, "no such encoding: %s; 'iconv -l' lists them", encoding);
	struct converter *converter = memory_new_zeroed(1, sizeof *converter);
	if (!converter) {
		iconv_close(iconv);
		return error_set_memory(error);
	}
	converter->iconv = iconv;
	strcpy(converter->name, encoding);
	converter->unit = strncasecmp(encoding, "UTF-16", 6) == 0 || strncasecmp(encoding, "UCS-2", 5) == 0   ? 2
	                  : strncasecmp(encoding, "UTF-32", 6) == 0 || strncasecmp(encoding, "UCS-4", 5) == 0 ? 4
	                                                                                                      : 1;
	*out = converter;
	return TRAWL_OK;
}

void converter_free(struct converter *converter)
{
	if (!converter)
		return;
	iconv_close(converter->iconv);
	buffer_release(&converter->input);
	memory_free(converter);
}

const char *converter_encoding(const struct converter *converter)
{
	return converter->name;
}

void converter_reset(struct converter *converter)
{
	iconv(converter->iconv, NULL, NULL, NULL, NULL);
	converter->input.length = converter->start = 0;
	converter->replaced = 0;
}

uint8_t *converter_room(struct converter *converter, size_t length, trawl_error *error)
{
	struct buffer *input = &converter->input;
	if (converter->start)
		memmove(input->data, input->data + converter->start, input->length - converter->start);
	input->length -= converter->start;
	converter->start = 0;
	if (buffer_reserve(input, length))
		return input->data + input->length;
	error_set_memory(error);
	return NULL;
}

void converter_fill(struct converter *converter, size_t length)
{
	converter->input.length += length;
}

uint64_t converter_replaced(const struct converter *converter)
{
	return converter->replaced;
}

size_t converter_take(struct converter *converter, uint8_t *out, size_t capacity, bool ended)
{
	char *to = (char *)out;
	size_t room = capacity;
	while (converter->start < converter->input.length) {
		char *from = (char *)converter->input.data + converter->start;
		size_t left = converter->input.length - converter->start;
		size_t result = iconv(converter->iconv, &from, &left, &to, &room);
		converter->start = converter->input.length - left;
		if (result != (size_t)-1 || errno == E2BIG || (errno == EINVAL && !ended) || room < REPLACEMENT_LENGTH)
			break;
		memcpy(to, replacement, REPLACEMENT_LENGTH);
		to += REPLACEMENT_LENGTH, room -= REPLACEMENT_LENGTH;
		converter->start += left < converter->unit ? left : converter->unit;
		converter->replaced++;
	}
	/* What the encoding holds back, to combine it with what may follow. */
	if (ended && converter->start == converter->input.length)
		iconv(converter->iconv, NULL, NULL, &to, &room);
	return capacity - room;
}

/* ---- by what it looks like --------------------------------------------------------------------------------------- */

/* Windows-1252 at 0x80 to 0x9f; 0: not in use (https://encoding.spec.whatwg.org/#windows-1252 has controls there). */
static const uint16_t latin_80[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                      0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                      0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

/* What a text consists of. */
struct census {
	size_t characters; /* of several bytes, valid UTF-8 */
	size_t invalid;    /* bytes in no such character */
	size_t unused;     /* of these, that windows-1252 does not use */
	size_t high, low;  /* letters, if it were windows-1252, */
	size_t signs;      /* and of the invalid bytes, those that would be none */
};

static void take_census(const uint8_t *text, size_t length, struct census *census)
{
	const uint8_t *end = text + length;
	while (text < end) {
		const uint8_t *invalid = u8_check(text, (size_t)(end - text));
		const uint8_t *valid_end = invalid ? invalid : end;
		for (; text < valid_end; text++) {
			census->low += (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z';
			census->characters += *text >= 0xc0;
		}
		if (invalid) {
			census->invalid++;
			census->unused += *invalid >= 0x80 && *invalid < 0xa0 && !latin_80[*invalid - 0x80];
			census->high += *invalid >= 0xc0;
			census->signs += *invalid < 0xc0;
			text = invalid + 1;
		}
	}
}

/* In texts of western languages, to which windows-1252 belongs, most letters are plain, and there are more of them than of special signs.
 * A few words may be otherwise. */
static bool looks_latin(const struct census *census)
{
	return census->invalid > census->characters && !census->unused &&
	       (census->high <= census->low || census->high <= 8) &&
	       (census->signs * 2 <= census->low + census->high || census->signs <= 4);
}

static uint32_t latin_character(uint8_t byte)
{
	return byte >= 0x80 && byte < 0xa0 ? latin_80[byte - 0x80] : byte;
}

static bool append_latin(struct buffer *out, const uint8_t *text, size_t length)
{
	size_t size = length;
	for (size_t i = 0; i < length; i++)
		size += (text[i] >= 0x80) + (text[i] >= 0x80 && latin_character(text[i]) >= 0x800);
	if (!buffer_reserve(out, size))
		return false;
	uint8_t *to = out->data + out->length, *end = to + size;
	for (size_t i = 0; i < length; i++)
		to += text[i] < 0x80 ? (*to = text[i], 1) : u8_uctomb(to, latin_character(text[i]), end - to);
	out->length += size;
	return true;
}

static bool append_replacing(struct buffer *out, const uint8_t *text, size_t length)
{
	const uint8_t *end = text + length;
	while (text < end) {
		const uint8_t *invalid = u8_check(text, (size_t)(end - text));
		const uint8_t *valid_end = invalid ? invalid : end;
		if (!buffer_append(out, text, (size_t)(valid_end - text)) ||
		    (invalid && !buffer_append(out, replacement, REPLACEMENT_LENGTH)))
			return false;
		text = invalid ? invalid + 1 : end;
	}
	return true;
}

bool encoding_repair(const char *text, size_t length, bool guess, struct buffer *out, enum repair *repair)
{
	const uint8_t *bytes = (const uint8_t *)text;
	struct census census = {0};
	*repair = REPAIR_NONE;
	if (!u8_check(bytes, length))
		return true;
	take_census(bytes, length, &census);
	*repair = guess && looks_latin(&census) ? REPAIR_LATIN : REPAIR_REPLACE;
	return *repair == REPAIR_LATIN ? append_latin(out, bytes, length) : append_replacing(out, bytes, length);
}
