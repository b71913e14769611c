#include "input/reader.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CAPACITY_FIRST ((size_t)2 << 20)

/* A file that made the buffer larger than this does not make all that follow pay for it. */
#define CAPACITY_KEPT ((size_t)64 << 20)

/* With fewer free bytes than this, make room before reading: large reads, and few moves of what is left over. */
#define READ_MIN ((size_t)1 << 20)

#define CONVERTED_AT_ONCE ((size_t)256 << 10)

void reader_release(struct reader *reader)
{
	memory_free(reader->data);
	converter_free(reader->converter);
	*reader = (struct reader){0};
}

void reader_start(struct reader *reader)
{
	if (reader->capacity > CAPACITY_KEPT) {
		memory_free(reader->data);
		reader->data = NULL;
		reader->capacity = 0;
	}
	reader->start = reader->end = 0;
	reader->line_number = 0;
	reader->ended = reader->converting = reader->stream_ended = false;
	reader->failure.code = TRAWL_OK;
}

static int make_room(struct reader *reader, trawl_error *error)
{
	if (reader->start > 0 && (reader->start == reader->end || reader->capacity - reader->end < READ_MIN)) {
		memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->data && reader->capacity - reader->end >= READ_MIN)
		return TRAWL_OK;
	size_t grown = reader->data ? reader->capacity * 2 : CAPACITY_FIRST;
	uint8_t *moved = memory_resize(reader->data, grown + READER_PADDING);
	if (!moved)
		return error_set_memory(error);
	memset(moved + grown, 0, READER_PADDING);
	reader->data = moved;
	reader->capacity = grown;
	return TRAWL_OK;
}

/* Bytes into the converter until some come out of it. */
static int read_converted(struct reader *reader, uint8_t *out, size_t capacity, size_t *got, trawl_error *error)
{
	for (;;) {
		size_t raw;
		*got = converter_take(reader->converter, out, capacity, reader->stream_ended);
		if (*got || reader->stream_ended)
			return TRAWL_OK;
		uint8_t *room = converter_room(reader->converter, CONVERTED_AT_ONCE, error);
		if (!room)
			return TRAWL_ENOMEM;
		int status = stream_read(reader->stream, room, CONVERTED_AT_ONCE, &raw, error);
		if (status != TRAWL_OK)
			return status;
		converter_fill(reader->converter, raw);
		reader->stream_ended = raw == 0;
	}
}

int reader_fill(struct reader *reader, trawl_error *error)
{
	if (reader->failure.code != TRAWL_OK)
		return error_set(error, reader->failure.code, "%s", reader->failure.text);
	int status = make_room(reader, error);
	if (status != TRAWL_OK)
		return status;
	size_t got, room = reader->capacity - reader->end;
	uint8_t *out = reader->data + reader->end;
	status = reader->converting ? read_converted(reader, out, room, &got, error)
	                            : stream_read(reader->stream, out, room, &got, error);
	if (status != TRAWL_OK)
		return status;
	reader->end += got;
	reader->ended = got == 0;
	return TRAWL_OK;
}

int reader_convert(struct reader *reader, const char *encoding, trawl_error *error)
{
	size_t ready = reader->end - reader->start;
	if (reader->converter && strcmp(converter_encoding(reader->converter), encoding) != 0) {
		converter_free(reader->converter);
		reader->converter = NULL;
	}
	int status = reader->converter ? TRAWL_OK : converter_new(&reader->converter, encoding, error);
	if (status != TRAWL_OK)
		return status;
	converter_reset(reader->converter);
	uint8_t *room = converter_room(reader->converter, ready + 1, error);
	if (!room)
		return TRAWL_ENOMEM;
	memcpy(room, reader->data + reader->start, ready);
	converter_fill(reader->converter, ready);
	reader->start = reader->end = 0;
	reader->converting = true;
	reader->stream_ended = reader->ended;
	reader->ended = false;
	return TRAWL_OK;
}

int reader_peek(struct reader *reader, size_t wanted, size_t *length, trawl_error *error)
{
	int status = TRAWL_OK;
	trawl_error failure;
	while (status == TRAWL_OK && !reader->ended && reader->end - reader->start < wanted)
		status = reader_fill(reader, &failure);
	size_t ready = reader->end - reader->start;
	*length = ready < wanted ? ready : wanted;
	if (status == TRAWL_OK)
		return TRAWL_OK;
	if (ready == 0 || status == TRAWL_ENOMEM || status == TRAWL_ESTOPPED)
		return error_set(error, status, "%s", failure.text);
	reader->failure = failure;
	return TRAWL_OK;
}

void reader_skip(struct reader *reader, size_t length)
{
	reader->start += length;
}

/* Drop all up to and with the next line feed. */
static int skip_line(struct reader *reader, trawl_error *error)
{
	for (;;) {
		uint8_t *feed = memchr(reader->data + reader->start, '\n', reader->end - reader->start);
		if (feed) {
			reader->start = (size_t)(feed - reader->data) + 1;
			return TRAWL_OK;
		}
		reader->start = reader->end;
		if (reader->ended)
			return TRAWL_OK;
		int status = reader_fill(reader, error);
		if (status != TRAWL_OK)
			return status;
	}
}

int reader_refuse(size_t most, size_t usual, const char *what, trawl_error *error)
{
	return error_set(error, TRAWL_ELIMIT,
	                 most < usual ? "%s than %zu MiB, a 32nd of the memory allowed" : "%s than %zu MiB", what,
	                 most >> 20);
}

int reader_line(struct reader *reader, char **line, size_t *length, trawl_error *error)
{
	size_t searched = 0; /* bytes from start without a line feed: none is looked at twice */
	uint8_t *feed = NULL;
	for (;;) {
		size_t ready = reader->end - reader->start;
		if (ready > searched)
			feed = memchr(reader->data + reader->start + searched, '\n', ready - searched);
		searched = feed ? (size_t)(feed - reader->data) - reader->start : ready;
		if (feed || reader->ended || searched > reader->line_most)
			break;
		int status = reader_fill(reader, error);
		if (status != TRAWL_OK)
			return status;
	}
	if (!feed && searched == 0)
		return 0;
	reader->line_number++;
	if (searched > reader->line_most) {
		int status = skip_line(reader, error);
		return status != TRAWL_OK ? status
		                          : reader_refuse(reader->line_most, READER_LINE_MAX, "line longer", error);
	}
	*line = (char *)reader->data + reader->start;
	*length = searched;
	reader->start += searched + (feed != NULL);
	if (*length && (*line)[*length - 1] == '\r')
		--*length;
	return 1;
}

int reader_rest(struct reader *reader, char **text, size_t *length, trawl_error *error)
{
	while (!reader->ended) {
		int status = reader_fill(reader, error);
		if (status != TRAWL_OK)
			return status;
		if (reader->end - reader->start > reader->text_most)
			return reader_refuse(reader->text_most, READER_TEXT_MAX, "text larger", error);
	}
	*text = (char *)reader->data + reader->start;
	*length = reader->end - reader->start;
	reader->start = reader->end;
	return TRAWL_OK;
}
