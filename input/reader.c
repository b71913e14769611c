#include "input/reader.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CAPACITY_FIRST ((size_t)2 << 20)

/* A file that made the buffer larger than this does not make all that follow pay for it. */
#define CAPACITY_KEPT ((size_t)64 << 20)

/* With fewer free bytes than this, make room before reading: large reads, and few moves of what is left over. */
#define READ_MIN ((size_t)1 << 20)

void reader_release(struct reader *reader)
{
	memory_free(reader->data);
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
	reader->ended = false;
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

/* Read more bytes behind those there are, or set `ended`. */
static int fill(struct reader *reader, trawl_error *error)
{
	int status = make_room(reader, error);
	if (status != TRAWL_OK)
		return status;
	size_t got;
	status = stream_read(reader->stream, reader->data + reader->end, reader->capacity - reader->end, &got, error);
	if (status != TRAWL_OK)
		return status;
	reader->end += got;
	reader->ended = got == 0;
	return TRAWL_OK;
}

int reader_peek(struct reader *reader, size_t wanted, size_t *length, trawl_error *error)
{
	int status = TRAWL_OK;
	while (status == TRAWL_OK && !reader->ended && reader->end - reader->start < wanted)
		status = fill(reader, error);
	size_t ready = reader->end - reader->start;
	*length = ready < wanted ? ready : wanted;
	return status;
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
		int status = fill(reader, error);
		if (status != TRAWL_OK)
			return status;
	}
}

static int refuse(size_t most, size_t usual, const char *what, trawl_error *error)
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
		int status = fill(reader, error);
		if (status != TRAWL_OK)
			return status;
	}
	if (!feed && searched == 0)
		return 0;
	reader->line_number++;
	if (searched > reader->line_most) {
		int status = skip_line(reader, error);
		return status != TRAWL_OK ? status : refuse(reader->line_most, READER_LINE_MAX, "line longer", error);
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
		int status = fill(reader, error);
		if (status != TRAWL_OK)
			return status;
		if (reader->end - reader->start > reader->text_most)
			return refuse(reader->text_most, READER_TEXT_MAX, "text larger", error);
	}
	*text = (char *)reader->data + reader->start;
	*length = reader->end - reader->start;
	reader->start = reader->end;
	return TRAWL_OK;
}
